#include "results/report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "results/schema/text.hpp"

namespace edgelab::results::report {
namespace {

std::string cell_html(const HtmlCell& cell) {
  std::string names = std::string(cell.number ? "n " : "") + cell.style_class;
  if (!names.empty() && names.back() == ' ') names.pop_back();
  std::string html = "<td";
  if (!names.empty()) html += " class=\"" + names + "\"";
  if (cell.value && std::isfinite(*cell.value)) html += fmt::format(" data-v=\"{}\"", *cell.value);
  return html + ">" + cell.html + "</td>";
}

}  // namespace

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

HtmlCell text_cell(std::string_view text, std::string style_class) {
  return {escaped(text), false, std::move(style_class), {}};
}

HtmlCell number_cell(double value, std::string_view text, std::string style_class) {
  if (text.empty()) return {"", true, std::move(style_class), {}};
  return {escaped(text), true, std::move(style_class), value};
}

std::string html_table(std::string_view caption, const std::vector<std::string>& titles,
                       const std::vector<std::vector<HtmlCell>>& rows) {
  std::vector<bool> used(titles.size());
  for (std::size_t i = 0; i < titles.size(); ++i) {
    used[i] = std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return !row[i].html.empty(); });
  }
  std::string html = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + escaped(caption) +
                     "\"><table class=\"sortable\"><caption>" + escaped(caption) + "</caption><thead><tr>";
  for (std::size_t i = 0; i < titles.size(); ++i) {
    if (used[i])
      html += "<th scope=\"col\"" + std::string(rows.front()[i].number ? " class=\"n\"" : "") + ">" +
              escaped(titles[i]) + "</th>";
  }
  html += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < titles.size(); ++i) {
      if (used[i]) html += cell_html(row[i]);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string folded(std::string_view summary, const std::string& html) {
  if (html.empty()) return html;
  return "<details><summary>" + escaped(summary) + "</summary>\n" + html + "</details>\n";
}

std::string section(std::string_view title, const std::string& html) {
  if (html.empty()) return html;
  return "<section><h2>" + escaped(title) + "</h2>\n" + html + "</section>\n";
}

}  // namespace edgelab::results::report
