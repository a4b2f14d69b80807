#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/doctor/findings.hpp"
#include "doctor_hosts.hpp"

namespace edgelab::batch::doctor {
namespace {

using test::complaints;
using test::four_pis;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(ProposedInterfaces, AreTheNetworkThatAllHostsShare) {
  EXPECT_THAT(proposed_interfaces(four_pis()), ElementsAre("192.168.1.0/24"));
}

TEST(ProposedInterfaces, LeaveOutWhatDockerAndLibvirtMade) {
  std::vector<Visit> visits = four_pis();
  for (Visit& visit : visits) {
    visit.facts->interfaces.push_back(test::made_up("docker0", "172.17.0.1/16"));
    visit.facts->interfaces.push_back(test::made_up("virbr0", "192.168.122.1/24"));
  }
  EXPECT_THAT(proposed_interfaces(visits), ElementsAre("192.168.1.0/24"));
}

TEST(ProposedInterfaces, LeaveOutANetworkInWhichHostsHaveTheSameAddressWhateverItsName) {
  std::vector<Visit> visits = four_pis();
  for (Visit& visit : visits) visit.facts->interfaces.push_back(test::wired("container", "10.88.0.1/16"));
  EXPECT_THAT(proposed_interfaces(visits), ElementsAre("192.168.1.0/24"));
}

TEST(ProposedInterfaces, PreferCablesToWirelessNetworks) {
  std::vector<Visit> visits = four_pis();
  for (int i = 0; i < 4; ++i)
    visits[static_cast<std::size_t>(i)].facts->interfaces.push_back(
        test::wireless("wlan0", "10.0.0." + std::to_string(i + 1) + "/24"));
  EXPECT_THAT(proposed_interfaces(visits), ElementsAre("192.168.1.0/24"));
  for (Visit& visit : visits) visit.facts->interfaces.erase(visit.facts->interfaces.begin());
  EXPECT_THAT(proposed_interfaces(visits), ElementsAre("10.0.0.0/24"));
}

TEST(ProposedInterfaces, AreNamesWhereCableAndWirelessAreInOneNetwork) {
  std::vector<Visit> visits = four_pis();
  for (int i = 0; i < 4; ++i)
    visits[static_cast<std::size_t>(i)].facts->interfaces.push_back(
        test::wireless("wlan0", "192.168.1.2" + std::to_string(i) + "/24"));
  EXPECT_THAT(proposed_interfaces(visits), ElementsAre("eth0"));
}

TEST(ProposedInterfaces, AreNoneForOneHostOrWithoutACommonNetwork) {
  std::vector<Visit> visits = four_pis();
  EXPECT_THAT(proposed_interfaces({visits[0]}), IsEmpty());
  visits[3].facts->interfaces = {test::wired("eth0", "192.168.7.14/24")};
  EXPECT_THAT(proposed_interfaces(visits), IsEmpty());
  EXPECT_THAT(complaints(visits, {}), ElementsAre(StartsWith("all bad network: no network is common to all hosts")));
}

TEST(NetworkFindings, WithoutASettingProposeOne) {
  EXPECT_THAT(complaints(four_pis(), {}), ElementsAre("all note network: btl_tcp_if_include = 192.168.1.0/24 → write "
                                                      "interfaces: [192.168.1.0/24] into the host file"));
}

TEST(NetworkFindings, SayThatDockersNetworkOnSeveralHostsHangsMpirun) {
  std::vector<Visit> visits = four_pis();
  for (const std::size_t i : {1u, 2u}) visits[i].facts->interfaces.push_back(test::made_up("docker0", "172.17.0.1/16"));
  const std::string bad =
      " bad network: Open MPI would use eth0 192.168.1.12/24 (1 Gbit/s), docker0 172.17.0.1/16; docker0 leads to no "
      "other host, though others "
      "have the same: mpirun hangs → write interfaces: [192.168.1.0/24] into the host file";
  EXPECT_THAT(
      complaints(visits, {}),
      ElementsAre(
          "pi2" + bad, StartsWith("pi3 bad network: "),
          StartsWith(
              "all note network: btl_tcp_if_include = 192.168.1.0/24 is common to all hosts; it leaves out docker0")));
  EXPECT_THAT(complaints(visits), IsEmpty()) << "the setting leaves docker0 out";
}

TEST(NetworkFindings, WarnOfDockerOnASingleHostOfMany) {
  std::vector<Visit> visits = four_pis();
  visits[1].facts->interfaces.push_back(test::made_up("docker0", "172.17.0.1/16"));
  EXPECT_THAT(complaints(visits, {}), testing::Contains(HasSubstr("pi2 warn network")));
}

TEST(NetworkFindings, TakeTheHostsOwnSettingsOfOpenMpiIntoAccount) {
  std::vector<Visit> visits = four_pis();
  for (Visit& visit : visits) visit.facts->interfaces.push_back(test::made_up("docker0", "172.17.0.1/16"));
  for (Visit& visit : visits) visit.facts->mpi_exclude = "lo,docker0";
  EXPECT_THAT(complaints(visits, {}), ElementsAre(StartsWith("all note network")));
  for (Visit& visit : visits) visit.facts->mpi_exclude.clear();
  for (Visit& visit : visits) visit.facts->mpi_include = "192.168.0.0/16";
  EXPECT_THAT(complaints(visits, {}), ElementsAre(StartsWith("all note network")));
}

TEST(NetworkFindings, AnInterfaceThatOneHostLacksWouldStopARun) {
  std::vector<Visit> visits = four_pis();
  visits[2].facts->interfaces = {test::wired("end0", "192.168.1.13/24")};
  EXPECT_THAT(complaints(visits, {"eth0"}), ElementsAre("pi3 bad network: Open MPI would use none: eth0 names none "
                                                        "that is up here → write interfaces: [192.168.1.0/24] into "
                                                        "the host file"));
  EXPECT_THAT(complaints(visits), IsEmpty());
}

TEST(NetworkFindings, NameTheSlowLinkTheWirelessOneAndUnlikePacketSizes) {
  std::vector<Visit> visits = four_pis();
  visits[0].facts->interfaces[0].bits_per_second = 100'000'000;
  visits[0].facts->interfaces[0].half_duplex = true;
  visits[1].facts->interfaces[0].kind = NetworkInterface::Kind::wireless;
  visits[1].facts->interfaces[0].bits_per_second.reset();
  visits[2].facts->interfaces[0].mtu = 9000;
  EXPECT_THAT(complaints(visits), ElementsAre("pi1 warn link: eth0 runs at 100 Mbit/s, other hosts' links at 1 Gbit/s "
                                              "→ try another cable and another port of the switch",
                                              StartsWith("pi1 warn link: eth0 is half duplex"),
                                              StartsWith("pi2 note link: eth0 is wireless"),
                                              StartsWith("pi3 warn link: eth0 sends packets of 9000 bytes, and another "
                                                         "host takes 1500 at most: large messages hang")));
}

TEST(NetworkFindings, TwoNamesOfOneMachineAreToldApartFromTwoMachines) {
  std::vector<Visit> visits = four_pis();
  visits[3].facts = visits[1].facts;
  EXPECT_THAT(
      complaints(visits),
      testing::Contains(StartsWith(
          "pi4 bad network: it is the same machine as pi2: both are called pi2 and have the address 192.168.1.12/24")));
}

TEST(NetworkFindings, OfOneHostAloneAskForNothing) {
  std::vector<Visit> visits = {four_pis()[0]};
  EXPECT_THAT(complaints(visits, {}), IsEmpty());
  visits[0].facts->interfaces.clear();
  EXPECT_THAT(complaints(visits, {}), IsEmpty());
}

}  // namespace
}  // namespace edgelab::batch::doctor
