#include "batch/doctor/links.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "batch/doctor/report.hpp"

namespace edgelab::batch::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ClusterSpec pis(int count) {
  ClusterSpec cluster;
  for (int host = 1; host <= count; ++host) cluster.hosts.push_back({"pi" + std::to_string(host), 4, ""});
  return cluster;
}

constexpr double kGigabit = 8.5, kFast = 85.0;  // ns per byte; 100 Mbit/s

// As ranks write it, each link with this many ns per byte and of latency.
template <class Cost>
MeasuredLinks measured(int hosts, Cost cost, double latency_ns = 100'000) {
  MeasuredLinks links(pis(hosts));
  for (int from = 0; from < hosts; ++from) {
    for (int to = 0; to < hosts; ++to) {
      if (from == to) continue;
      EXPECT_TRUE(from > to || links.take_line(fmt::format("edgelab-doctor:measuring {} {}", from, to)));
      EXPECT_TRUE(links.take_line(
          fmt::format("edgelab-doctor:link {} {} {} {}", from, to, latency_ns + 1000 * to, cost(from, to))));
    }
  }
  return links;
}

std::vector<std::string> told(const MeasuredLinks& links) {
  std::vector<std::string> texts;
  for (const Finding& finding : measured_link_findings(links)) {
    texts.push_back(fmt::format("{} {}: {}", finding.host, level_name(finding.level), finding.text));
    EXPECT_EQ(finding.fix.empty(), finding.level == Level::ok) << finding.text;
  }
  return texts;
}

TEST(DoctorLinks, GoodOnesAreSummedUp) {
  const MeasuredLinks links = measured(4, [](int, int) { return kGigabit; });
  EXPECT_TRUE(links.stuck.empty());
  EXPECT_THAT(told(links), ElementsAre(" ok: 12 measured: 100 µs to 103 µs one way, 941 Mbit/s"));
}

TEST(DoctorLinks, AHostWhoseEveryLinkIsSlowIsNamedOnce) {
  for (const int hosts : {3, 4, 8}) {
    const auto texts = told(measured(hosts, [](int from, int to) { return from == 1 || to == 1 ? kFast : kGigabit; }));
    ASSERT_EQ(texts.size(), 2u) << hosts;
    EXPECT_EQ(texts[0], "pi2 warn: every link from and to it is slow: 94.1 Mbit/s at best, where others have 941 Mbit/s");
  }
}

TEST(DoctorLinks, OneDirectionOfALinkIsNamedByBothEnds) {
  const auto texts = told(measured(4, [](int from, int to) { return from == 3 && to == 0 ? kFast : kGigabit; }));
  EXPECT_THAT(texts, ElementsAre("pi4 warn: the link to pi1 is slow: 94.1 Mbit/s, where others have 941 Mbit/s",
                                 HasSubstr("12 measured")));
}

TEST(DoctorLinks, LongLatenciesAreNamedAndShortOnesThatDifferAreNot) {
  MeasuredLinks links = measured(4, [](int, int) { return kGigabit; });
  ASSERT_TRUE(links.take_line("edgelab-doctor:link 0 2 2000000 8.5"));
  EXPECT_THAT(told(links), ElementsAre("pi1 warn: the link to pi3 is slow: 2.00 ms, where others have 101 µs",
                                       HasSubstr("12 measured")));
  ASSERT_TRUE(links.take_line("edgelab-doctor:link 0 2 250000 8.5"));
  EXPECT_EQ(told(links).size(), 1u);
}

TEST(DoctorLinks, APairThatGotStuckIsNamed) {
  MeasuredLinks links(pis(3));
  for (const char* line :
       {"edgelab-doctor:measuring 0 1", "edgelab-doctor:link 0 1 100000 8.5", "edgelab-doctor:link 1 0 100000 8.5",
        "edgelab-doctor:measuring 1 2", "edgelab-doctor:link 1 2 100000 8.5"}) {
    ASSERT_TRUE(links.take_line(line));
  }
  links.failure = "measuring the links did not end in 60 s";
  EXPECT_THAT(told(links), ElementsAre("pi2 bad: messages to pi3 got stuck",
                                       " bad: measuring the links did not end in 60 s", HasSubstr("3 measured")));
}

TEST(DoctorLinks, WhatIsNoLineOfARankIsLeftToOthers) {
  MeasuredLinks links(pis(2));
  for (const char* line :
       {"", "hello", "edgelab-doctor:link", "edgelab-doctor:link 0", "edgelab-doctor:link 0 2 1 1",
        "edgelab-doctor:link -1 0 1 1", "edgelab-doctor:link 0 1 x y", "edgelab-doctor:measuring 5 6"}) {
    EXPECT_FALSE(links.take_line(line)) << line;
  }
  EXPECT_EQ(measured_link_findings(links).back().level, Level::bad);
}

TEST(DoctorLinks, AreATableForPeopleAndAListForMachines) {
  const MeasuredLinks links = measured(2, [](int from, int) { return from == 0 ? kGigabit : kFast; });
  const std::string text = report_text({}, {}, {}, &links);
  EXPECT_THAT(text, HasSubstr("pi1"));
  EXPECT_THAT(text, HasSubstr("941 Mbit/s 101 µs"));
  EXPECT_THAT(text, HasSubstr("94.1 Mbit/s 100 µs"));
  const auto json = nlohmann::json::parse(report_json({}, {}, &links));
  ASSERT_EQ(json["links"].size(), 2u);
  EXPECT_EQ(json["links"][1]["from"], "pi2");
  EXPECT_EQ(json["links"][1]["latency_ns"], 100'000.0);
  EXPECT_DOUBLE_EQ(json["links"][1]["bandwidth_bytes_per_second"], 1e9 / kFast);
  EXPECT_FALSE(nlohmann::json::parse(report_json({}, {})).contains("links"));
}

}  // namespace
}  // namespace edgelab::batch::doctor
