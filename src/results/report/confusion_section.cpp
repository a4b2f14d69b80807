#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "results/report/bitmap.hpp"
#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr std::size_t kMostClasses = 20;  // more don't fit a screen: their commonest confusions are listed instead
constexpr std::size_t kListed = 15;

class Confusion {
 public:
  explicit Confusion(const JobRecord& job)
      : job_(job), classes_(static_cast<std::size_t>(job.classes)), counts_(classes_ * classes_) {
    for (std::size_t i = 0; i < job.labels.size(); ++i) {
      const auto label = static_cast<std::size_t>(job.labels[i]),
                 prediction = static_cast<std::size_t>(job.predictions[i]);
      if (label < classes_ && prediction < classes_) ++counts_[label * classes_ + prediction];
    }
  }

  std::size_t classes() const { return classes_; }
  std::int64_t count(std::size_t label, std::size_t prediction) const { return counts_[label * classes_ + prediction]; }
  std::int64_t of_label(std::size_t label) const {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < classes_; ++k) sum += count(label, k);
    return sum;
  }
  std::int64_t of_prediction(std::size_t prediction) const {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < classes_; ++k) sum += count(k, prediction);
    return sum;
  }
  std::string name(std::int64_t k) const {
    const auto index = static_cast<std::size_t>(k);
    return index < job_.class_names.size() ? job_.class_names[index].name : std::to_string(k);
  }

 private:
  const JobRecord& job_;
  std::size_t classes_;
  std::vector<std::int64_t> counts_;  // [label, prediction]
};

bool has_answers(const JobRecord& job) {
  return job.classes > 1 && job.classes <= 100'000 / job.classes && !job.labels.empty() &&
         job.predictions.size() == job.labels.size();
}

std::string matrix_html(const Confusion& confusion, const std::string& id) {
  std::string html = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix of " +
                     escaped(id) +
                     "\"><table class=\"confusion\"><caption>Rows: true class. Columns: class that the model took it "
                     "for.</caption><thead><tr><th scope=\"col\">is ↓ taken for →</th>";
  for (std::size_t k = 0; k < confusion.classes(); ++k)
    html += "<th scope=\"col\" title=\"" + escaped(confusion.name(static_cast<std::int64_t>(k))) + "\">" +
            escaped(confusion.name(static_cast<std::int64_t>(k))) + "</th>";
  html += "</tr></thead><tbody>";
  for (std::size_t label = 0; label < confusion.classes(); ++label) {
    const auto all = static_cast<double>(std::max<std::int64_t>(1, confusion.of_label(label)));
    html += "<tr><th scope=\"row\">" + escaped(confusion.name(static_cast<std::int64_t>(label))) + "</th>";
    for (std::size_t taken = 0; taken < confusion.classes(); ++taken) {
      const std::int64_t count = confusion.count(label, taken);
      html += fmt::format("<td{} style=\"--h:{:.3f}\">{}</td>", label == taken ? " class=\"right\"" : "",
                          static_cast<double>(count) / all, count == 0 ? "" : std::to_string(count));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>\n";
}

std::string commonest_html(const Confusion& confusion, const std::string& id) {
  struct Pair {
    std::size_t label, taken;
    std::int64_t count;
  };
  std::vector<Pair> pairs;
  for (std::size_t label = 0; label < confusion.classes(); ++label) {
    for (std::size_t taken = 0; taken < confusion.classes(); ++taken) {
      if (label != taken && confusion.count(label, taken) > 0)
        pairs.push_back({label, taken, confusion.count(label, taken)});
    }
  }
  if (pairs.empty()) return "<p>No mistake.</p>\n";
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.count > b.count; });
  if (pairs.size() > kListed) pairs.resize(kListed);
  std::vector<std::vector<HtmlCell>> rows;
  for (const Pair& pair : pairs) {
    const double share = static_cast<double>(pair.count) / static_cast<double>(confusion.of_label(pair.label));
    rows.push_back({text_cell(confusion.name(static_cast<std::int64_t>(pair.label))),
                    text_cell(confusion.name(static_cast<std::int64_t>(pair.taken))),
                    number_cell(static_cast<double>(pair.count), std::to_string(pair.count)),
                    number_cell(share, share_text(share))});
  }
  return html_table("Commonest confusions of " + id, {"is", "taken for", "samples", "of its class"}, rows);
}

std::string by_class_html(const Confusion& confusion, const std::string& id) {
  std::vector<std::vector<HtmlCell>> rows;
  for (std::size_t k = 0; k < confusion.classes(); ++k) {
    const auto right = static_cast<double>(confusion.count(k, k));
    const auto are = static_cast<double>(confusion.of_label(k)), said = static_cast<double>(confusion.of_prediction(k));
    rows.push_back({text_cell(confusion.name(static_cast<std::int64_t>(k))), number_cell(are, count_text(are)),
                    number_cell(are > 0 ? right / are : NAN, are > 0 ? share_text(right / are) : ""),
                    number_cell(said > 0 ? right / said : NAN, said > 0 ? share_text(right / said) : "")});
  }
  return folded(
      "Class by class",
      html_table("Classes of " + id, {"class", "samples", "recognised (recall)", "right when said (precision)"}, rows));
}

std::string mistakes_html(const JobRecord& job, const Confusion& confusion) {
  std::string items;
  for (const MistakeRecord& mistake : job.mistakes) {
    const std::string is = confusion.name(mistake.label), taken = confusion.name(mistake.prediction);
    const std::string picture = mistake.channels == 3 ? bitmap_uri(mistake.picture, mistake.height, mistake.width) : "";
    items += "<li>";
    if (!picture.empty())
      items += "<img src=\"" + picture + "\" alt=\"" +
               escaped(fmt::format("sample {}: {}, taken for {}", mistake.sample, is, taken)) + "\">";
    items += fmt::format(
        "<strong>{}</strong>, not {}<br><span class=\"faint\">{:.0f} % sure; true class {:.1f} %<br>sample "
        "{}</span></li>\n",
        escaped(taken), escaped(is), 100 * mistake.probability, 100 * mistake.label_probability, mistake.sample);
  }
  if (items.empty()) return "";
  return "<h4>Surest mistakes</h4><ul class=\"mistakes\">\n" + items + "</ul>\n";
}

std::string job_html(const JobRecord& job) {
  const Confusion confusion(job);
  std::string html =
      confusion.classes() <= kMostClasses
          ? matrix_html(confusion, job.id) + folded("Commonest confusions", commonest_html(confusion, job.id))
          : commonest_html(confusion, job.id);
  return html + by_class_html(confusion, job.id) + mistakes_html(job, confusion);
}

}  // namespace

std::string confusion_section(const RunRecord& run) {
  std::string html;
  for (const JobRecord& job : run.jobs) {
    if (!has_answers(job)) continue;
    const std::string title = job.id + (job.summary.top1 ? ": top-1 " + share_text(*job.summary.top1) : "");
    // The first lies open; a sweep's others would bury what comes after.
    if (html.empty())
      html += "<h3>" + escaped(title) + "</h3>\n" + job_html(job);
    else
      html += folded(title, job_html(job));
  }
  return section("What was taken for what", html);
}

}  // namespace edgelab::results::report
