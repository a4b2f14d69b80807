#include "batch/doctor/findings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/doctor/report.hpp"
#include "doctor_hosts.hpp"

namespace edgelab::batch::doctor {
namespace {

using test::complaints;
using test::four_pis;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Findings, OfFourHealthyHostsAreAllOk) {
  const std::vector<Visit> visits = four_pis();
  EXPECT_THAT(complaints(visits), IsEmpty());
  EXPECT_EQ(exit_code_of(findings_of(test::cluster_of(visits, {"eth0"}), visits)), 0);
}

TEST(Findings, ComeInTheOrderOfTheHostsAndTheClustersLast) {
  const std::vector<Visit> visits = four_pis();
  const std::vector<Finding> findings = findings_of(test::cluster_of(visits), visits);
  std::vector<std::string> hosts;
  for (const Finding& each : findings) hosts.push_back(each.host);
  EXPECT_EQ(hosts.front(), "pi1");
  EXPECT_EQ(hosts.back(), "");
  EXPECT_TRUE(std::is_sorted(hosts.begin(), std::find(hosts.begin(), hosts.end(), "")));
}

struct Unreached {
  const char *said, *told;
};

class SshTrouble : public testing::TestWithParam<Unreached> {};

TEST_P(SshTrouble, IsExplainedWithWhatToDo) {
  std::vector<Visit> visits = four_pis();
  visits[2] = Visit{};
  visits[2].host = {"pi3", 4, "pi"};
  visits[2].errors = GetParam().said;
  EXPECT_THAT(complaints(visits), ElementsAre(std::string("pi3 bad ssh: not reached: ") + GetParam().told));
  EXPECT_EQ(exit_code_of(findings_of(test::cluster_of(visits), visits)), 3);
}

INSTANTIATE_TEST_SUITE_P(
    Findings, SshTrouble,
    testing::Values(
        Unreached{"@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed.\r\n",
                  "ssh knows another key for it: the host was set up anew, or another one has its address (Host key "
                  "verification failed.) → if "
                  "it was set up anew: ssh-keygen -R pi3, then ssh pi@pi3 once, comparing the fingerprint"},
        Unreached{"No ED25519 host key is known for pi3 and you have requested strict checking.\nHost key verification "
                  "failed.\n",
                  "ssh has never met it, and can't ask in the background (Host key verification failed.) → ssh pi@pi3 "
                  "once in a terminal, and "
                  "answer yes if the fingerprint is the host's"},
        Unreached{"pi@pi3: Permission denied (publickey,password).\n",
                  "it lets this user in by no key (pi@pi3: Permission denied (publickey,password).) → ssh-copy-id "
                  "pi@pi3 (ssh-keygen first, if "
                  "there is no key yet)"},
        Unreached{"ssh: Could not resolve hostname pi3: Name or service not known\n",
                  "the name is unknown here (ssh: Could not resolve hostname pi3: Name or service not known) → write "
                  "its address into /etc/hosts on "
                  "every host, or use NAME.local with avahi, or put the address into the host file"},
        Unreached{"ssh: connect to host pi3 port 22: Connection refused\n",
                  "nothing listens for ssh there (ssh: connect to host pi3 port 22: Connection refused) → on pi3: sudo "
                  "systemctl enable --now ssh"},
        Unreached{"ssh: connect to host pi3 port 22: Connection timed out\n",
                  "it doesn't answer (ssh: connect to host pi3 port 22: Connection timed out) → switch it on, and look "
                  "at cable, switch, address "
                  "and firewall"}));

TEST(Findings, AHostWithoutTheProgramIsReachedAndToldToBeProvisioned) {
  std::vector<Visit> visits = four_pis();
  visits[1].facts.reset();
  visits[1].clock.reset();
  visits[1].outcome = Visit::Outcome::no_program;
  EXPECT_THAT(
      complaints(visits),
      ElementsAre(
          "pi2 bad program: there is no edgelab/bin/edgelab on this aarch64 host → put it there: ./lab hosts FILE"));
}

TEST(Findings, AProgramThatDoesNotStartIsToldWithItsReason) {
  std::vector<Visit> visits = four_pis();
  visits[1].facts.reset();
  visits[1].outcome = Visit::Outcome::broken_program;
  visits[1].program = "edgelab/bin/edgelab";
  visits[1].clock.reset();
  visits[1].errors =
      "edgelab/bin/edgelab: error while loading shared libraries: libmpi.so.40: cannot open shared object file\n";
  EXPECT_THAT(complaints(visits),
              ElementsAre(AllOf(StartsWith("pi2 bad program: edgelab/bin/edgelab does not work there: "),
                                HasSubstr("libmpi.so.40"), HasSubstr("./lab hosts FILE --packages"))));
}

TEST(Findings, AnotherBuildWouldStopARunAndAnotherBinaryOfTheSameBuildMayDiffer) {
  std::vector<Visit> visits = four_pis();
  visits[3].facts->program.sha256 = std::string(64, 'b');
  EXPECT_THAT(complaints(visits), ElementsAre("pi4 warn program: edgelab 0.1.0 abc, but built differently than on most "
                                              "hosts (bbbbbbbb and aaaaaaaa) → copy "
                                              "one program to all hosts: ./lab hosts FILE"));
  visits[3].facts->program.build = "0.1.0 old";
  EXPECT_THAT(
      complaints(visits),
      ElementsAre(StartsWith(
          "pi4 bad program: edgelab 0.1.0 old where most hosts have 0.1.0 abc: its ranks would refuse each other")));
}

TEST(Findings, ProgramsAtUnlikePathsAndUnlikeProcessorsWouldStopARun) {
  std::vector<Visit> visits = four_pis();
  visits[0].facts->program.path = "/root/edgelab/build/edgelab";
  EXPECT_THAT(complaints(visits), ElementsAre(StartsWith("pi1 bad program: the program is /root/edgelab/build/edgelab "
                                                         "here and /home/pi/edgelab/bin/edgelab on most hosts")));
  visits[0].facts->architecture = "x86_64";
  visits[0].facts->features.push_back("avx2");
  EXPECT_THAT(
      complaints(visits),
      ElementsAre(StartsWith("pi1 bad program: the processor is of the kind x86_64, the other hosts' aarch64")));
}

TEST(Findings, LibrariesDifferByHowMuchItMatters) {
  std::vector<Visit> visits = four_pis();
  visits[1].facts->program.libraries[3].second = "2.41";
  visits[2].facts->program.libraries[2].second = "3.8.0";
  visits[3].facts->program.libraries[0].second = "Open MPI v5.0.7";
  EXPECT_THAT(complaints(visits),
              ElementsAre(StartsWith("pi2 note libraries: glibc 2.41 where most hosts have 2.36"),
                          StartsWith("pi3 warn libraries: oneDNN 3.8.0 where most hosts have 3.7.2"),
                          StartsWith("pi4 bad libraries: MPI Open MPI v5.0.7 where most hosts have Open MPI v4.1.4")));
}

TEST(Findings, AClockIsWrongOnlyBeyondWhatTheMeasurementCanTell) {
  Visit visit = four_pis()[0];
  visit.clock = ClockOffset{-900'000'000, 500'000'000};
  EXPECT_EQ(clock_findings(visit)[0],
            (Finding{"pi1", "clock", Level::ok, "the clock is behind by 900 ms ± 500 ms", ""}));
  visit.clock = ClockOffset{-900'000'000, 3'000'000};
  EXPECT_THAT(complaints(clock_findings(visit)),
              ElementsAre(StartsWith("pi1 warn clock: the clock is behind by 900 ms ± 3.00 ms, and times")));
  visit.clock = ClockOffset{3'600'000'000'000, 1'000'000};
  EXPECT_THAT(complaints(clock_findings(visit)), ElementsAre(StartsWith("pi1 warn clock: the clock is ahead by 1 h")));
  visit.clock = ClockOffset{-1'000'000, 2'000'000};
  EXPECT_EQ(clock_findings(visit)[0].text, "the clock agrees with this machine's within 2.00 ms");
}

TEST(Findings, NameTheFeaturesThatOneProcessorLacks) {
  std::vector<Visit> visits = four_pis();
  visits[3].facts->features = {"fp", "asimd"};
  EXPECT_THAT(
      complaints(visits),
      ElementsAre(
          StartsWith("pi4 note cpu: Raspberry Pi 5 Model B, 4 cores; the processor lacks the dot-product instructions"),
          "pi4 note cpu: the processor lacks what most hosts have: asimddp → jobs that need a feature can say so: "
          "requires: "
          "{features: [asimddp]}"));
}

TEST(Findings, APisThrottleBitsAreDecoded) {
  std::vector<Visit> visits = four_pis();
  visits[0].facts->thermal.throttle_bits = 0x50005;
  visits[1].facts->thermal.throttle_bits = 0x80008;
  visits[2].facts->thermal.throttle_bits = 0x20000;
  EXPECT_THAT(complaints(visits), ElementsAre("pi1 warn throttling: now: under-voltage, throttled; since the start: "
                                              "under-voltage, throttled → use the official power supply and a "
                                              "short cable",
                                              "pi2 warn throttling: now: soft temperature limit; since the start: soft "
                                              "temperature limit → cool it: a heat sink with a fan",
                                              "pi3 note throttling: not now, but since the start: clock rate capped → "
                                              "cool it: a heat sink with a fan; the board forgets it when it "
                                              "is started anew"));
}

TEST(Findings, HeatGovernorMemorySwapAndDiskAreJudged) {
  std::vector<Visit> visits = four_pis();
  HostFacts& facts = *visits[0].facts;
  facts.thermal = {84.2, {}, 12};
  facts.governor = "ondemand";
  facts.memory = {1'000'000'000, 200'000'000, 500'000'000, 100'000'000};
  facts.disk_free_bytes = 900'000'000;
  EXPECT_THAT(complaints(visits),
              ElementsAre(StartsWith("pi1 warn memory: 200 MB of 1.00 GB free, little for 4 ranks"),
                          StartsWith("pi1 note swap: 400 MB of 500 MB used"), StartsWith("pi1 warn disk: 900 MB free"),
                          StartsWith("pi1 warn governor: ondemand"), StartsWith("pi1 warn temperature: 84 °C"),
                          StartsWith("pi1 note throttling: slowed down by heat 12 times")));
  facts.disk_free_bytes = 1'000'000;
  EXPECT_EQ(exit_code_of(findings_of(test::cluster_of(visits), visits)), 3);
}

TEST(Findings, MoreRanksThanCoresAreToldWithTheNumberToSet) {
  std::vector<Visit> visits = four_pis();
  visits[1].host.ranks = 8;
  EXPECT_THAT(complaints(visits), ElementsAre("pi2 warn cpu: Raspberry Pi 5 Model B, 4 cores, fewer than the 8 ranks "
                                              "that the host file gives it → set ranks: 4 for this host"));
}

TEST(DoctorReport, HasAPartForEachHostAndSaysWhetherARunComesThrough) {
  std::vector<Visit> visits = four_pis();
  const auto text = [&] { return report_text(visits, findings_of(test::cluster_of(visits, {"eth0"}), visits), {}); };
  EXPECT_THAT(text(), AllOf(StartsWith("pi@pi1, Debian GNU/Linux 12, Linux 6.6\n  ok    ssh "), HasSubstr("\npi@pi4, "),
                            HasSubstr("All hosts together\n"), testing::EndsWith("All 4 hosts can run.\n")));
  visits[0].facts->governor = "ondemand";
  EXPECT_THAT(text(), AllOf(HasSubstr("  warn  governor    ondemand: the clock rate"),
                            HasSubstr("\n                    → echo performance"),
                            testing::EndsWith("All 4 hosts can run; 1 warning.\n")));
  visits[1].facts->program.build = "x";
  EXPECT_THAT(text(), testing::EndsWith("A run would not come through: 1 thing to mend.\n"));
}

TEST(DoctorReport, ShowsNoControlCharactersThatAHostSent) {
  std::vector<Visit> visits = four_pis();
  visits[0].facts->cpu_model = "evil\033[2J\a";
  EXPECT_EQ(report_text(visits, findings_of(test::cluster_of(visits), visits), {}).find('\033'), std::string::npos);
}

TEST(DoctorReport, IsOneJsonObjectForMachines) {
  std::vector<Visit> visits = four_pis();
  visits[2].outcome = Visit::Outcome::unreachable;
  visits[2].facts.reset();
  const auto json = nlohmann::json::parse(report_json(visits, findings_of(test::cluster_of(visits), visits)));
  EXPECT_EQ(json["schema"], "edgelab-doctor/1");
  EXPECT_EQ(json["interfaces"], nlohmann::json::array({"192.168.1.0/24"}));
  ASSERT_EQ(json["hosts"].size(), 4u);
  EXPECT_EQ(json["hosts"][0]["facts"]["memory"]["available_bytes"], 7'000'000'000);
  EXPECT_EQ(json["hosts"][0]["clock"]["uncertainty_ns"], 2'000'000);
  EXPECT_EQ(json["hosts"][2]["outcome"], "unreachable");
  for (const char* key : {"host", "check", "level", "text", "fix"})
    EXPECT_TRUE(json["findings"][0].contains(key)) << key;
}

}  // namespace
}  // namespace edgelab::batch::doctor
