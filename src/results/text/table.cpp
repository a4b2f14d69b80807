#include "results/text/table.hpp"

#include <algorithm>

#include "results/text/width.hpp"

namespace edgelab::results {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowestFirst = 12;

const char* code_of(Ink ink) {
  switch (ink) {
    case Ink::plain: return "";
    case Ink::faint: return "\033[2m";
    case Ink::bold: return "\033[1m";
    case Ink::good: return "\033[32m";
    case Ink::bad: return "\033[31m";
    case Ink::warning: return "\033[33m";
  }
  return "";
}

std::string padded(const TextTable::Cell& cell, std::size_t width, bool right, const Look& look) {
  const std::size_t own = width_of(cell.text);
  const std::string blanks(width > own ? width - own : 0, ' ');
  const std::string ink = painted(cell.text, cell.ink, look);
  return right ? blanks + ink : ink + blanks;
}

void trim_end(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::string painted(std::string_view text, Ink ink, const Look& look) {
  if (!look.colour || ink == Ink::plain || text.empty()) return std::string(text);
  return code_of(ink) + std::string(text) + "\033[0m";
}

// Of each column in a table of `whole` columns; 0 for one that is left out.
std::vector<std::size_t> TextTable::widths_for(std::size_t whole) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    for (const auto& row : rows_) widths[i] = std::max(widths[i], width_of(row[i].text));
    if (widths[i] > 0) widths[i] = std::max(widths[i], width_of(columns_[i].title));
  }
  const auto others = [&] {
    std::size_t sum = 0;
    for (std::size_t i = 1; i < widths.size(); ++i) sum += widths[i] > 0 ? widths[i] + kGap : 0;
    return sum;
  };
  int next = 0;
  for (const Column& column : columns_) next = std::max(next, column.left_out);
  for (; next > 0 && others() + std::min(widths[0], kNarrowestFirst) > whole; --next) {
    for (std::size_t i = 1; i < widths.size(); ++i) {
      if (columns_[i].left_out == next) widths[i] = 0;
    }
  }
  widths[0] = std::min(widths[0], whole > others() + kNarrowestFirst ? whole - others() : kNarrowestFirst);
  return widths;
}

std::string TextTable::text(const Look& look) const {
  const std::vector<std::size_t> widths = widths_for(static_cast<std::size_t>(look.width));
  std::string text;
  const auto add_line = [&](const std::vector<Cell>& cells) {
    std::string line;
    Cell first = cells[0];
    if (width_of(first.text) > widths[0]) {
      text += painted(first.text, first.ink, look) + "\n";
      first.text.clear();
      if (std::all_of(cells.begin() + 1, cells.end(), [](const Cell& cell) { return cell.text.empty(); })) return;
    }
    line += padded(first, widths[0], columns_[0].right, look);
    for (std::size_t i = 1; i < cells.size(); ++i) {
      if (widths[i] > 0) line += std::string(kGap, ' ') + padded(cells[i], widths[i], columns_[i].right, look);
    }
    trim_end(line);
    text += line + "\n";
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Ink::faint});
  add_line(titles);
  for (const auto& row : rows_) add_line(row);
  return text;
}

std::string safe_for_terminal(std::string_view text) {
  std::string safe(text);
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const auto byte = static_cast<unsigned char>(safe[i]);
    // U+0080 to U+009F are C1 controls, C2 80 to C2 9F in UTF-8.
    const bool c1 = byte >= 0x80 && byte < 0xA0 && i > 0 && static_cast<unsigned char>(safe[i - 1]) == 0xC2;
    if (byte == '\n' || byte == '\t')
      safe[i] = ' ';
    else if (byte < 0x20 || byte == 0x7F)
      safe[i] = '?';
    else if (c1)
      safe.replace(i - 1, 2, "?"), --i;
  }
  return safe;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (column > 0 && column + 1 + width_of(word) > width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > 0) {
      lines += " ";
      ++column;
    }
    lines += word;
    column += width_of(word);
  }
  return lines;
}

}  // namespace edgelab::results
