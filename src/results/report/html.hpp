#pragma once

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
};

// A table in a box that scrolls sideways on a narrow screen. Columns in which every cell is empty are left out.
std::string html_table(const std::vector<std::string>& titles, const std::vector<std::vector<HtmlCell>>& rows);

}  // namespace edgelab::results::report
