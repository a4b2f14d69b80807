#include "batch/job_file/yaml_reader.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>
#include <vector>

namespace edgelab::batch {
namespace {

// Ends the parse; the error is in the list already.
struct Stop {};

// Builds Values from yaml-cpp's events. Frames are the open lists and maps.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const SourceFile> file, ErrorList& errors) : file_(std::move(file)), errors_(errors) {}

  std::optional<Value> take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_) stop(mark, "a job file holds one YAML document, and here a second one begins");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(mark, Value{}, anchor); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_tag(mark, tag);
    // yaml-cpp tags plain scalars "?" and quoted or block ones "!".
    leaf(mark, tag == "!" ? text_value(text) : plain_value(text), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(mark, "an alias can't stand inside what it means");
    count(mark, nodes_in(found->second));
    if (frames_.size() + depth_of(found->second) > kMostDepth) too_deep(mark);
    place_value(mark, found->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Value value;
    YAML::anchor_t anchor = 0;
    std::optional<Entry> key;  // of a map: read, its value not yet
    bool repeated = false;
  };

  Place place(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  [[noreturn]] void stop(const YAML::Mark& mark, std::string what) { stop(place(mark), std::move(what)); }
  [[noreturn]] void stop(const Place& at, std::string what) {
    errors_.add(usage_error(at, std::move(what)), at);
    throw Stop{};
  }
  [[noreturn]] void too_deep(const YAML::Mark& mark) {
    stop(mark, "lists and maps are nested deeper than " + std::to_string(kMostDepth) + " levels");
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    const Place at = place(mark);
    errors_.add(Error(ErrorKind::usage, "job files use no YAML tags")
                    .at(at.shown())
                    .got(described(text_value(tag)))
                    .hint("remove it"),
                at);
  }

  void count(const YAML::Mark& mark, std::size_t nodes) { count_nodes(place(mark), nodes); }
  void count_nodes(const Place& at, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMostNodes) {
      stop(at,
           "the file has more than " + std::to_string(kMostNodes) + " values, aliases counted as what they stand for");
    }
  }

  static std::size_t nodes_in(const Value& value) {
    std::size_t nodes = 1;
    for (const Value& item : value.items) nodes += nodes_in(item);
    for (const Entry& entry : value.entries) nodes += nodes_in(entry.value);
    return nodes;
  }
  static std::size_t depth_of(const Value& value) {
    std::size_t depth = 0;
    for (const Value& item : value.items) depth = std::max(depth, depth_of(item));
    for (const Entry& entry : value.entries) depth = std::max(depth, depth_of(entry.value));
    return depth + (value.is_list() || value.is_map() ? 1 : 0);
  }

  void leaf(const YAML::Mark& mark, Value value, YAML::anchor_t anchor) {
    count(mark, 1);
    value.place = place(mark);
    if (anchor) anchors_[anchor] = value;
    place_value(mark, std::move(value));
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    refuse_tag(mark, tag);
    count(mark, 1);
    if (!frames_.empty() && frames_.back().value.is_map() && !frames_.back().key)
      stop(mark, "a key must be a plain text, not a list or a map");
    if (frames_.size() >= kMostDepth) too_deep(mark);
    Frame frame;
    frame.value.kind = kind;
    frame.value.place = place(mark);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor) {
      count_nodes(frame.value.place, nodes_in(frame.value));  // the copy below costs memory like any other value
      anchors_[frame.anchor] = frame.value;
    }
    put(std::move(frame.value));
  }

  // A leaf or alias: a key, where a key is due, else a value.
  void place_value(const YAML::Mark& mark, Value value) {
    if (frames_.empty() || !frames_.back().value.is_map() || frames_.back().key) return put(std::move(value));
    if (!value.is_scalar()) stop(mark, "a key must be a plain text");
    Frame& map = frames_.back();
    if (map.value.entries.size() >= kMostKeys)
      stop(mark, "one map has more than " + std::to_string(kMostKeys) + " keys");
    if (const Entry* first = map.value.entry(value.text)) {
      const Place at = place(mark);
      errors_.add(usage_error(at, "the key \"" + value.text + "\" stands twice in one map; the first is at line " +
                                      std::to_string(first->place.line)),
                  at);
      map.repeated = true;
    }
    map.key = Entry{value.text, place(mark), {}};
  }

  void put(Value value) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.value.is_list()) {
      frame.value.items.push_back(std::move(value));
      return;
    }
    // yaml-cpp places a missing value at whatever comes next, maybe lines below.
    if (value.kind == Value::Kind::null) value.place = frame.key->place;
    frame.key->value = std::move(value);
    if (!frame.repeated) frame.value.entries.push_back(std::move(*frame.key));
    frame.key.reset();
    frame.repeated = false;
  }

  std::shared_ptr<const SourceFile> file_;
  ErrorList& errors_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Value> anchors_;
  std::optional<Value> root_;
  std::size_t nodes_ = 0;
};

// Length of the UTF-8 character at `at`, or 0. Control characters other than tab and line ends are refused too: they
// have no place in a lab sheet, and terminals and results files show messages that quote it.
std::size_t character_length(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  if (first < 0x80) return first == '\t' || first == '\n' || first == '\r' || (first >= 0x20 && first != 0x7F) ? 1 : 0;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0u) != 0x80u) return 0;
  }
  const unsigned second = byte(at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}

bool check_characters(const std::string& text, const std::shared_ptr<const SourceFile>& file, ErrorList& errors) {
  int line = 1;
  std::size_t line_begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0) {
      const Place place{file, line, static_cast<int>(at - line_begin) + 1};
      errors.add(usage_error(place, "the file is not plain UTF-8 text here"), place);
      return false;
    }
    if (text[at] == '\n') {
      ++line;
      line_begin = at + 1;
    }
    at += length;
  }
  return true;
}

}  // namespace

std::optional<Value> read_yaml(const std::string& text, const std::shared_ptr<const SourceFile>& file,
                               ErrorList& errors) {
  const Place start{file, 1, 1};
  if (text.size() > kMostFileBytes) {
    errors.add(usage_error(start, "the file is larger than a job file may be, 1 MiB"), start);
    return {};
  }
  if (!check_characters(text, file, errors)) return {};
  TreeBuilder builder(file, errors);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return {};
  } catch (const YAML::Exception& error) {
    const Place place = error.mark.is_null() ? start : Place{file, error.mark.line + 1, error.mark.column + 1};
    errors.add(usage_error(place, "this is not YAML: " + error.msg), place);
    return {};
  }
  std::optional<Value> root = builder.take();
  if (!root || root->kind == Value::Kind::null) {
    errors.add(usage_error(start, "the file is empty"), start);
    return {};
  }
  return root;
}

}  // namespace edgelab::batch
