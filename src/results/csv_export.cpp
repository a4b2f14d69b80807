#include "results/csv_export.hpp"

#include <fmt/format.h>

#include <map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "results/schema/schema.hpp"
#include "results/schema/text.hpp"

namespace edgelab::results {
namespace {

using Cells = std::vector<std::string>;

std::string csv_line(const Cells& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += (i == 0 ? "" : ",") + csv_cell(cells[i]);
  return line + "\r\n";
}

std::string cell_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return clean_utf8(*text);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value))
    return fmt::format("{}", *real);  // shortest text that reads back equal
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "1" : "0";
  return "";
}

// Files on their way: name → text. The first row of a file brings its head along.
struct Sheets {
  std::map<std::string, std::string> files;

  std::string& at(const std::string& name, const Cells& head) {
    std::string& text = files[name];
    if (text.empty()) text = csv_line(head);
    return text;
  }
};

// Attributes of a record, and of the single groups right below it, as one row.
struct Row {
  Cells head, cells;

  template <class Record>
  void add(const Record& record) {
    for (const auto& field : Schema<Record>::fields) {
      head.push_back(field.name);
      cells.push_back(cell_of(value_of(record, field)));
    }
  }
};

// Walks the parts of a record. Singles go to `row` (`ahead` holds what rows below repeat, the job's id); lists become files.
template <class Record>
struct Walker {
  Sheets& sheets;
  const Record& record;
  Row& row;
  Row ahead;
  std::string prefix;

  void text(const char*, std::string Record::*, const char*) {}

  template <class Sub>
  void group(const char* name, Sub Record::*member, Presence<Sub>, const char*) {
    if constexpr (std::is_same_v<Record, RunRecord>) {
      Row own;
      own.add(record.*member);
      Walker<Sub> below{sheets, record.*member, own, {}, std::string_view(name) == "links" ? "links_" : ""};
      Schema<Sub>::parts(below);
      if (std::string_view(name) == "provenance") sheets.at(name, own.head) += csv_line(own.cells);
    } else {
      row.add(record.*member);
    }
  }

  template <class Item>
  void groups(const char* name, std::vector<Item> Record::*member, Key<Item>, const char*) {
    list(name, member);
  }
  template <class Item>
  void table(const char* name, std::vector<Item> Record::*member, const char*) {
    list(name, member);
  }

  template <class Element>
  void array(const ArrayPart<Record, Element>& part) {
    const auto& elements = record.*part.data;
    if (sizeof(Element) == 1) return;  // a picture, which no table is for
    if (elements.empty() || (part.kept != nullptr && !(record.*part.kept))) return;
    Cells head = ahead.head;
    for (const auto& axis : part.axes) head.push_back(axis.name);
    head.push_back(part.name);
    std::string& text = sheets.at(prefix + part.name, head);
    std::string begin;
    for (const std::string& cell : ahead.cells) begin += csv_cell(cell) + ",";
    const std::vector<std::int64_t> extents = extents_of(record, part);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      text += begin;
      const auto index = static_cast<std::int64_t>(i);
      std::string place;
      for (std::int64_t rest = index, axis = static_cast<std::int64_t>(extents.size()) - 1; axis >= 0; --axis) {
        const std::int64_t extent = extents[static_cast<std::size_t>(axis)];
        place = fmt::format("{},", rest % extent) + place;
        rest /= extent;
      }
      text += place + fmt::format("{}\r\n", elements[i]);
    }
  }

 private:
  // What tells this item's rows from those of others: its job, and within a job the item's first field.
  template <class Item>
  Row ahead_below(const Item& item) const {
    if constexpr (std::is_same_v<Item, JobRecord>) return {{"job"}, {item.id}};
    Row below = ahead;
    below.head.push_back(Schema<Item>::fields[0].name);
    below.cells.push_back(cell_of(value_of(item, Schema<Item>::fields[0])));
    return below;
  }

  template <class Item>
  void list(const char* name, std::vector<Item> Record::*member) {
    for (const Item& item : record.*member) {
      Row own = ahead;
      own.add(item);
      Walker<Item> below{sheets, item, own, ahead_below(item), ""};
      Schema<Item>::parts(below);
      sheets.at(prefix + name, own.head) += csv_line(own.cells);
    }
  }
};

void make_folder(const std::filesystem::path& folder, bool force) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorKind::environment, "the folder can't be made: " + error.message()).at({folder.string()});
  const bool empty = std::filesystem::is_empty(folder, error);
  if (error) throw Error(ErrorKind::environment, "the folder can't be read: " + error.message()).at({folder.string()});
  if (!empty && !force) {
    throw Error(ErrorKind::usage, "the folder is not empty")
        .at({folder.string()})
        .hint("name a new one, or say --force to write into it");
  }
}

}  // namespace

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::vector<std::filesystem::path> export_csv(const RunRecord& run, const std::filesystem::path& folder, bool force) {
  make_folder(folder, force);
  Sheets sheets;
  Row none;
  Walker<RunRecord> walker{sheets, run, none, {}, ""};
  Schema<RunRecord>::parts(walker);
  std::vector<std::filesystem::path> made;
  for (const auto& [name, text] : sheets.files) {
    made.push_back(folder / (name + ".csv"));
    replace_file(made.back(), text);
  }
  return made;
}

}  // namespace edgelab::results
