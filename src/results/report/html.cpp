#include "results/report/html.hpp"

#include <algorithm>

#include "results/schema/text.hpp"

namespace edgelab::results::report {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char letter : clean_utf8(text)) {
    switch (letter) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      case '\'': html += "&#39;"; break;
      default: html += letter;
    }
  }
  return html;
}

std::string html_table(const std::vector<std::string>& titles, const std::vector<std::vector<HtmlCell>>& rows) {
  std::vector<bool> used(titles.size());
  for (std::size_t i = 0; i < titles.size(); ++i) {
    used[i] = std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return !row[i].html.empty(); });
  }
  const auto classes = [&](const HtmlCell& cell) {
    const std::string names = std::string(cell.number ? "n " : "") + cell.style_class;
    return names.empty() ? std::string() : " class=\"" + names + "\"";
  };
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (std::size_t i = 0; i < titles.size(); ++i) {
    if (used[i]) html += "<th" + std::string(rows.front()[i].number ? " class=\"n\"" : "") + ">" + titles[i] + "</th>";
  }
  html += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < titles.size(); ++i) {
      if (used[i]) html += "<td" + classes(row[i]) + ">" + row[i].html + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace edgelab::results::report
