#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab {

// An IPv4 address with the length of its network's prefix.
struct Ipv4 {
  std::uint32_t address = 0;  // host byte order
  int prefix = 32;

  Ipv4 network() const;      // the address with the host's part zero
  std::string text() const;  // "192.168.1.11/24"
  bool contains(const Ipv4& other) const;
  bool operator==(const Ipv4&) const = default;
};
// "192.168.1.11/24" or "192.168.1.11"; nothing for anything else.
std::optional<Ipv4> read_ipv4(std::string_view text);

struct NetworkInterface {
  // What stands behind it. `made_up`: by Docker, libvirt, a VPN and the like, for traffic that never reaches another host of
  // a cluster.
  enum class Kind { wired, wireless, loopback, made_up };

  std::string name;
  Kind kind = Kind::wired;
  bool up = false;  // with a carrier
  int mtu = 0;
  std::optional<std::int64_t> bits_per_second;  // as negotiated; absent where the driver doesn't tell
  bool half_duplex = false;
  std::vector<Ipv4> addresses;
  bool operator==(const NetworkInterface&) const = default;
};

struct InterfaceAddress {
  std::string name;
  Ipv4 address;
};

// IPv4 addresses of this process's network namespace. sysfs doesn't know them.
std::vector<InterfaceAddress> interface_addresses();

// Interfaces by name, read from sysfs below `root`: "/", or a folder that a test has filled.
std::vector<NetworkInterface> read_interfaces(const std::filesystem::path& root,
                                              const std::vector<InterfaceAddress>& addresses);

// The one that a cluster's traffic takes, as far as one host can tell: up, with an address, wired before wireless, of
// several the fastest. Null if there is none.
const NetworkInterface* main_interface(const std::vector<NetworkInterface>& interfaces);

// By its name alone: docker0, virbr0, br-…, veth… and their kind.
bool is_made_up_name(std::string_view name);

}  // namespace edgelab
