#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/tracks.hpp"
#include "results/span_names.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr std::size_t kMostPieces = 150;  // of a rank: more can't be told apart

// How many of the first micro-batches are shown: so many that no rank has too many pieces, but one.
std::int64_t shown_micro_batches(const JobRecord& job) {
  std::int64_t shown = std::numeric_limits<std::int64_t>::max();
  for (const RankRow& rank : job.ranks) {
    if (rank.span_microbatch.size() > kMostPieces) shown = std::min(shown, rank.span_microbatch[kMostPieces]);
  }
  return std::max<std::int64_t>(1, shown);
}

// Where each rank's time went while the micro-batches that are shown went through.
struct Shares {
  std::array<double, kSpanNames.size()> ns{};
  double began = std::numeric_limits<double>::max(), ended = 0;
};

std::string job_spans(const JobRecord& job) {
  const std::int64_t shown = shown_micro_batches(job);
  std::int64_t begin = std::numeric_limits<std::int64_t>::max();
  for (const RankRow& rank : job.ranks) {
    if (!rank.span_start_ns.empty()) begin = std::min(begin, rank.span_start_ns.front());
  }
  TrackChart chart{
      job.id + ": who computed, sent and waited", {kSpanNames.begin(), kSpanNames.end()}, {}, duration_text, {}};
  std::vector<std::vector<HtmlCell>> rows;
  std::vector<double> ends{0};
  for (const RankRow& rank : job.ranks) {
    Track track{fmt::format("rank {}{}", rank.rank, rank.host.empty() ? "" : ", " + rank.host), {}};
    Shares shares;
    for (std::size_t i = 0; i < rank.span_kind.size(); ++i) {
      const auto kind = static_cast<std::size_t>(rank.span_kind[i]);
      if (rank.span_microbatch[i] >= shown || kind >= kSpanNames.size()) continue;
      const auto from = static_cast<double>(rank.span_start_ns[i] - begin),
                 to = static_cast<double>(rank.span_end_ns[i] - begin);
      track.pieces.push_back({from, to, kind,
                              fmt::format("rank {}, micro-batch {}: {} {}", rank.rank, rank.span_microbatch[i],
                                          kSpanNames[kind], duration_text(to - from)),
                              kind == 0 ? std::to_string(rank.span_microbatch[i]) : "", Piece::Look::full});
      shares.ns[kind] += to - from;
      shares.began = std::min(shares.began, from);
      shares.ended = std::max(shares.ended, to);
    }
    std::vector<HtmlCell> row{number_cell(rank.rank, std::to_string(rank.rank)), text_cell(rank.host),
                              text_cell(rank.role, "wrap")};
    for (const double ns : shares.ns) row.push_back(number_cell(ns, ns > 0 ? duration_text(ns) : ""));
    const double took = std::max(0.0, shares.ended - shares.began);
    row.push_back(number_cell(took, took > 0 ? duration_text(took) : ""));
    rows.push_back(std::move(row));
    ends.push_back(shares.ended);
    chart.tracks.push_back(std::move(track));
  }
  chart.scale = Scale::linear(ends, true);
  const std::string which = shown == std::numeric_limits<std::int64_t>::max() ? "The micro-batches that were kept"
                            : shown == 1                                      ? "The first micro-batch"
                                         : fmt::format("The first {} micro-batches", shown);
  return tracks_html(
      chart, which + " of the last pass through the data, by one clock. Numbers are micro-batches.",
      html_table(chart.title, {"rank", "host", "role", "compute", "send", "receive", "wait", "first to last"}, rows));
}

}  // namespace

std::string spans_section(const RunRecord& run) {
  std::string html;
  for (const JobRecord& job : run.jobs) {
    const bool has_spans =
        std::any_of(job.ranks.begin(), job.ranks.end(), [](const RankRow& rank) { return !rank.span_kind.empty(); });
    if (has_spans) html += job_spans(job);
  }
  return html.empty() ? "" : section("Split models, rank by rank", html);
}

}  // namespace edgelab::results::report
