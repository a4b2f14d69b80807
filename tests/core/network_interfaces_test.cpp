#include "core/network_interfaces.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using Kind = NetworkInterface::Kind;

class Network {
 public:
  // A folder of /sys/class/net.
  void add(const std::string& name, const std::string& state, const std::string& speed,
           const std::string& file = {}) const {
    const std::filesystem::path folder = directory_ / ("sys/class/net/" + name);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "operstate") << state << "\n";
    std::ofstream(folder / "mtu") << "1500\n";
    std::ofstream(folder / "speed") << speed << "\n";
    if (!file.empty()) std::ofstream(folder / file) << "1\n";
  }
  std::filesystem::path root() const { return directory_.path(); }

 private:
  test::TemporaryDirectory directory_;
};

Ipv4 ipv4(const char* text) { return read_ipv4(text).value(); }

TEST(Ipv4, IsReadWithItsPrefixAndShownTheSame) {
  EXPECT_EQ(ipv4("192.168.1.11/24"), (Ipv4{0xC0A8010B, 24}));
  EXPECT_EQ(ipv4("192.168.1.11/24").text(), "192.168.1.11/24");
  EXPECT_EQ(ipv4("10.0.0.1").prefix, 32);
  for (const char* bad :
       {"", "10.0.0", "10.0.0.256", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/", "a.b.c.d", "10.0.0.1/24x", "::1"}) {
    EXPECT_FALSE(read_ipv4(bad)) << bad;
  }
}

TEST(Ipv4, KnowsItsNetworkAtEveryPrefix) {
  EXPECT_EQ(ipv4("192.168.1.77/26").network().text(), "192.168.1.64/26");
  EXPECT_EQ(ipv4("192.168.1.77/0").network().text(), "0.0.0.0/0");
  EXPECT_EQ(ipv4("192.168.1.77/32").network().text(), "192.168.1.77/32");
  EXPECT_TRUE(ipv4("10.1.0.0/16").contains(ipv4("10.1.255.1")));
  EXPECT_FALSE(ipv4("10.1.0.0/16").contains(ipv4("10.2.0.1")));
}

TEST(NetworkInterfaces, AreReadFromSysfsWithTheirKindAndAddresses) {
  const Network network;
  network.add("eth0", "up", "1000");
  network.add("wlan0", "up", "-1", "phy80211");
  network.add("lo", "unknown", "");
  network.add("docker0", "down", "-1");
  network.add("vpn", "unknown", "10", "tun_flags");
  network.add("eth1", "down", "-1");
  const auto interfaces = read_interfaces(
      network.root(),
      {{"eth0", ipv4("192.168.1.11/24")}, {"eth0", ipv4("10.0.0.1/8")}, {"docker0", ipv4("172.17.0.1/16")}});
  ASSERT_EQ(interfaces.size(), 6u);
  EXPECT_EQ(interfaces[0],
            (NetworkInterface{"docker0", Kind::made_up, false, 1500, {}, false, {ipv4("172.17.0.1/16")}}));
  EXPECT_EQ(interfaces[1],
            (NetworkInterface{
                "eth0", Kind::wired, true, 1500, 1'000'000'000, false, {ipv4("192.168.1.11/24"), ipv4("10.0.0.1/8")}}));
  EXPECT_FALSE(interfaces[2].up);
  EXPECT_EQ(interfaces[3].kind, Kind::loopback);
  EXPECT_TRUE(interfaces[3].up);
  EXPECT_EQ(interfaces[4].kind, Kind::made_up);
  EXPECT_EQ(interfaces[5].kind, Kind::wireless);
  EXPECT_FALSE(interfaces[5].bits_per_second);
}

TEST(NetworkInterfaces, WithoutSysfsAreNone) { EXPECT_TRUE(read_interfaces("/no/such/root", {}).empty()); }

TEST(NetworkInterfaces, OfTheKernelCarryTheirAddresses) {
  const auto addresses = interface_addresses();
  for (const InterfaceAddress& each : addresses) {
    EXPECT_FALSE(each.name.empty());
    if (each.name == "lo") {
      EXPECT_EQ(each.address.network().text(), "127.0.0.0/8");
    }
  }
}

TEST(MadeUpNames, AreThoseOfContainersMachinesAndTunnels) {
  for (const char* name :
       {"docker0", "virbr0", "br-3f2a", "veth12ab", "tun0", "tap0", "wg0", "cni0", "lxcbr0", "tailscale0"})
    EXPECT_TRUE(is_made_up_name(name)) << name;
  for (const char* name : {"eth0", "enp3s0", "wlan0", "end0", "bond0", "br0", "ib0"})
    EXPECT_FALSE(is_made_up_name(name)) << name;
}

TEST(MainInterface, IsTheFastestWiredOneThatIsUpElseAWirelessOne) {
  const NetworkInterface slow{"eth0", Kind::wired, true, 1500, 100'000'000, false, {ipv4("10.0.0.1/8")}};
  const NetworkInterface fast{"eth1", Kind::wired, true, 1500, 1'000'000'000, false, {ipv4("10.0.0.2/8")}};
  const NetworkInterface down{"eth2", Kind::wired, false, 1500, 10'000'000'000, false, {ipv4("10.0.0.3/8")}};
  const NetworkInterface bare{"eth3", Kind::wired, true, 1500, 10'000'000'000, false, {}};
  const NetworkInterface docker{"docker0", Kind::made_up, true, 1500, 10'000'000'000, false, {ipv4("172.17.0.1/16")}};
  const NetworkInterface wifi{"wlan0", Kind::wireless, true, 1500, {}, false, {ipv4("10.0.0.4/8")}};
  const std::vector<NetworkInterface> all{docker, wifi, slow, fast, down, bare};
  EXPECT_EQ(main_interface(all)->name, "eth1");
  const std::vector<NetworkInterface> without_cable{docker, wifi, down};
  EXPECT_EQ(main_interface(without_cable)->name, "wlan0");
  EXPECT_EQ(main_interface({docker}), nullptr);
}

}  // namespace
}  // namespace edgelab
