#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab::results::report {

// Text as HTML shows it: & < > " ' escaped, invalid UTF-8 replaced. Every text from a record goes through here.
std::string escaped(std::string_view text);

struct HtmlCell {
  std::string html;  // already escaped
  bool number = false;
  std::string style_class;
  std::optional<double> value;  // what the column is sorted by; the text where absent
};

HtmlCell text_cell(std::string_view text, std::string style_class = "");
// A number that a person reads as `text`; empty text, empty cell.
HtmlCell number_cell(double value, std::string_view text, std::string style_class = "");
template <class Number, class Text>
HtmlCell number_cell(const std::optional<Number>& number, Text text) {
  if (!number) return {"", true, "", {}};
  return number_cell(static_cast<double>(*number), text(static_cast<double>(*number)));
}

// A table in a box that scrolls sideways on a narrow screen; the script makes its heads sort. Columns in which every cell is
// empty are left out. `caption` says what it is to who can't see where it stands.
std::string html_table(std::string_view caption, const std::vector<std::string>& titles,
                       const std::vector<std::vector<HtmlCell>>& rows);

// Folded away under its summary; nothing for no text.
std::string folded(std::string_view summary, const std::string& html);

// A section of the page; nothing for no text.
std::string section(std::string_view title, const std::string& html);

}  // namespace edgelab::results::report
