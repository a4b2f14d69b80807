#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/report/tracks.hpp"
#include "results/schema/field.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

std::size_t index_of(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

}  // namespace

// Which rank worked on which job when: a Gantt chart.
std::string timeline_section(const RunRecord& run) {
  TrackChart chart{"Jobs over ranks", {}, {}, duration_text, {}};
  std::map<int, Track> ranks;
  std::vector<std::vector<HtmlCell>> rows;
  std::vector<double> ends{0};
  const auto begin = std::min_element(run.jobs.begin(), run.jobs.end(), [](const JobRecord& a, const JobRecord& b) {
    return (a.started_wall_ns > 0 ? a.started_wall_ns : INT64_MAX) <
           (b.started_wall_ns > 0 ? b.started_wall_ns : INT64_MAX);
  });
  for (const JobRecord& job : run.jobs) {
    if (job.started_wall_ns <= 0 || job.ended_wall_ns < job.started_wall_ns || job.ranks.empty()) continue;
    const auto from = static_cast<double>(job.started_wall_ns - begin->started_wall_ns),
               to = static_cast<double>(job.ended_wall_ns - begin->started_wall_ns);
    ends.push_back(to);
    std::string places;
    for (const RankRow& rank : job.ranks) {
      Track& track = ranks[rank.world_rank];
      track.label = fmt::format("rank {}{}", rank.world_rank, rank.host.empty() ? "" : ", " + rank.host);
      track.pieces.push_back(
          {from, to, index_of(chart.series, job.task),
           fmt::format("{}: {} to {}, {}", job.id, duration_text(from), duration_text(to), rank.role), job.id,
           Piece::Look::full});
      places += (places.empty() ? "" : ", ") + std::to_string(rank.world_rank);
    }
    rows.push_back({text_cell(job.id, "id"), text_cell(job.task), text_cell(name_of(job.status)), text_cell(places),
                    number_cell(from, duration_text(from)), number_cell(to, duration_text(to)),
                    number_cell(to - from, duration_text(to - from))});
  }
  if (rows.empty()) return "";
  for (auto& [rank, track] : ranks) chart.tracks.push_back(std::move(track));
  chart.scale = Scale::linear(ends, true);
  return section("Timeline", tracks_html(chart, "Since the first job began.",
                                         html_table("Jobs over ranks",
                                                    {"job", "task", "status", "ranks", "from", "to", "took"}, rows)));
}

// Of each rank: loading, preparing images, computing, sending, receiving, waiting.
std::string ranks_section(const RunRecord& run) {
  struct Part {
    const char* name;
    std::int64_t RankRow::*time;
  };
  static constexpr Part kParts[] = {{"load", &RankRow::load_ns},       {"preprocess", &RankRow::preprocess_ns},
                                    {"compute", &RankRow::compute_ns}, {"send", &RankRow::send_ns},
                                    {"receive", &RankRow::receive_ns}, {"wait", &RankRow::wait_ns}};
  TrackChart chart{"Where the time of each rank went", {}, {}, duration_text, {}};
  for (const Part& part : kParts) chart.series.push_back(part.name);
  std::vector<std::vector<HtmlCell>> rows;
  std::vector<double> ends{0};
  const auto bytes_cell = [](std::int64_t bytes) {
    return number_cell(static_cast<double>(bytes), bytes > 0 ? bytes_text(static_cast<double>(bytes)) : "");
  };
  for (const JobRecord& job : run.jobs) {
    for (const RankRow& rank : job.ranks) {
      Track track{fmt::format("{}{}", job.id, job.ranks.size() > 1 ? fmt::format(" · {}", rank.rank) : ""), {}};
      std::vector<HtmlCell> row{text_cell(job.id, "id"), number_cell(rank.rank, std::to_string(rank.rank)),
                                text_cell(rank.host), text_cell(rank.role, "wrap"),
                                text_cell(rank.device, "wrap"), number_cell(rank.threads, std::to_string(rank.threads))};
      double at = 0;
      for (std::size_t i = 0; i < std::size(kParts); ++i) {
        const auto time = static_cast<double>(rank.*kParts[i].time);
        row.push_back(number_cell(time, time > 0 ? duration_text(time) : ""));
        if (time <= 0) continue;
        track.pieces.push_back(
            {at, at + time, i,
             fmt::format("{}, rank {}: {} {}", job.id, rank.rank, kParts[i].name, duration_text(time)), "",
             Piece::Look::full});
        at += time;
      }
      ends.push_back(at);
      row.insert(row.end(),
                 {bytes_cell(rank.bytes_sent), bytes_cell(rank.bytes_received), bytes_cell(rank.peak_rss_bytes)});
      rows.push_back(std::move(row));
      if (!track.pieces.empty()) chart.tracks.push_back(std::move(track));
    }
  }
  if (rows.empty()) return "";
  const std::string table = html_table("Ranks",
                                       {"job", "rank", "host", "role", "device", "threads", "load", "preprocess", "compute",
                                        "send", "receive", "wait", "sent", "received", "memory"},
                                       rows);
  if (chart.tracks.empty()) return section("Ranks", table);
  chart.scale = Scale::linear(ends, true);
  return section(
      "Ranks",
      tracks_html(chart, "Sums over the job, one kind after the other, not in the order in which they happened.",
                  table));
}

}  // namespace edgelab::results::report
