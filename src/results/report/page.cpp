#include <fmt/format.h>

#include <algorithm>

#include "results/report/html.hpp"
#include "results/report/report.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--ink:#1c2024;--faint:#60646c;--paper:#fff;--card:#f6f7f9;--line:#dfe2e6;--good:#18794e;--bad:#cd2b31;--warn:#ad5700;--bar:#3e63dd}
@media (prefers-color-scheme:dark){:root{--ink:#edeef0;--faint:#a0a4ab;--paper:#111113;--card:#1b1c1f;--line:#33363b;--good:#3dd68c;--bad:#ff8589;--warn:#ffb224;--bar:#849dff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.25rem 1rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.25rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.25rem 0 .35rem;overflow-wrap:anywhere}
p{margin:.35rem 0}.faint{color:var(--faint)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch;margin:.5rem 0}
table{border-collapse:collapse;font-size:.9rem;min-width:100%}
th{text-align:left;font-weight:600;color:var(--faint);white-space:nowrap}
th,td{padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td{white-space:nowrap}td.wrap{white-space:normal;min-width:14rem;overflow-wrap:anywhere}
.n{text-align:right;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:.75rem}
figure{margin:0;padding:.75rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
figcaption{font-weight:600;font-size:.9rem;overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto}svg text{fill:var(--faint);font-size:11px}
.bar{fill:var(--bar)}.loss,.accuracy{fill:none;stroke-width:2;stroke:var(--bar)}.loss{stroke:var(--faint);stroke-dasharray:5 4}.axis{stroke:var(--line)}.mark{stroke:var(--ink);stroke-dasharray:3 3}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0;font-size:.9rem}dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:34rem){dl{grid-template-columns:1fr}dd{margin-bottom:.35rem}}
pre{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem;overflow-x:auto;font-size:.8rem}
summary{cursor:pointer}
@media print{.scroll{overflow:visible}body{max-width:none}}
)";

std::string head_lines(const RunRecord& run) {
  const Provenance& made = run.provenance;
  const auto done =
      std::count_if(run.jobs.begin(), run.jobs.end(), [](const JobRecord& job) { return job.status == Status::done; });
  std::string when = made.start_wall_ns > 0 ? time_text(made.start_wall_ns) : "";
  if (made.end_wall_ns > made.start_wall_ns)
    when += ", " + duration_text(static_cast<double>(made.end_wall_ns - made.start_wall_ns));
  return fmt::format(
      "<p><strong class=\"{}\">{}</strong>, {} of {} jobs done</p>\n<p class=\"faint\">{}, {} rank{} on {} host{}, "
      "edgelab {}</p>\n",
      made.complete ? "good" : "warn", made.complete ? "complete" : "not complete", done, run.jobs.size(),
      escaped(when), made.ranks, made.ranks == 1 ? "" : "s", made.hosts_seen, made.hosts_seen == 1 ? "" : "s",
      escaped(made.edgelab_version));
}

}  // namespace

std::string html_report(const RunRecord& run, const std::string& title) {
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  // Nothing may be fetched, whatever slipped into a text.
  html += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
  html += "<title>" + escaped(title) + "</title><style>" + kStyle + "</style></head><body>\n";
  html += "<header><h1>" + escaped(title) + "</h1>\n" + head_lines(run) + "</header><main>\n";
  html += summary_section(run) + expectations_section(run) + training_section(run) + sensitivity_section(run) + latency_section(run) + layers_section(run) +
          ranks_section(run) + hosts_section(run) + provenance_section(run);
  return html + "</main></body></html>\n";
}

}  // namespace edgelab::results::report
