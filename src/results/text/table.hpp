#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edgelab::results {

// How the text will be seen.
struct Look {
  int width = 100;  // columns
  bool colour = false;
};

enum class Ink { plain, faint, bold, good, bad, warning };
std::string painted(std::string_view text, Ink ink, const Look& look);

// A table of aligned columns. Columns in which every cell is empty are left out; where the table is too wide, also those that
// may be, and then the first column gives way: a first cell longer than what the others leave stands on a line of its own above
// its row.
class TextTable {
 public:
  struct Column {
    std::string title;
    bool right = true;
    int left_out = 0;  // 0: never; else where there is no room, those with the highest number first, and together
  };
  struct Cell {
    std::string text;
    Ink ink = Ink::plain;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  std::string text(const Look& look) const;

 private:
  std::vector<std::size_t> widths_for(std::size_t whole) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Text with control characters shown as '?', so that no name or reason can steer a terminal.
std::string safe_for_terminal(std::string_view text);

// Broken at blanks into lines of at most `width` columns, each after the first indented.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace edgelab::results
