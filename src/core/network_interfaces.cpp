#include "core/network_interfaces.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <fstream>
#include <memory>

namespace edgelab {
namespace fs = std::filesystem;
namespace {

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::uint32_t mask_of(int prefix) { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }

NetworkInterface::Kind kind_of(const std::string& name, const fs::path& folder) {
  constexpr const char* kLoopback = "772";  // ARPHRD_LOOPBACK
  std::error_code error;
  if (name == "lo" || first_line(folder / "type") == kLoopback) return NetworkInterface::Kind::loopback;
  if (is_made_up_name(name) || fs::exists(folder / "tun_flags", error)) return NetworkInterface::Kind::made_up;
  if (fs::exists(folder / "wireless", error) || fs::exists(folder / "phy80211", error))
    return NetworkInterface::Kind::wireless;
  return NetworkInterface::Kind::wired;
}

NetworkInterface read_interface(const fs::path& folder) {
  NetworkInterface interface;
  interface.name = folder.filename().string();
  interface.kind = kind_of(interface.name, folder);
  const std::string state = first_line(folder / "operstate");
  // Loopback and some virtual devices say "unknown", and have no carrier to lose.
  interface.up = state == "up" || (state == "unknown" && first_line(folder / "carrier") != "0");
  interface.mtu = static_cast<int>(number_in(first_line(folder / "mtu")).value_or(0));
  const auto megabits = number_in(first_line(folder / "speed"));
  if (megabits && *megabits > 0 && interface.kind != NetworkInterface::Kind::made_up)
    interface.bits_per_second = *megabits * 1'000'000;
  interface.half_duplex = first_line(folder / "duplex") == "half";
  return interface;
}

}  // namespace

Ipv4 Ipv4::network() const { return {address & mask_of(prefix), prefix}; }
bool Ipv4::contains(const Ipv4& other) const {
  return (other.address & mask_of(prefix)) == (address & mask_of(prefix));
}
std::string Ipv4::text() const {
  return fmt::format("{}.{}.{}.{}/{}", address >> 24, address >> 16 & 0xFF, address >> 8 & 0xFF, address & 0xFF,
                     prefix);
}

std::optional<Ipv4> read_ipv4(std::string_view text) {
  Ipv4 read;
  const std::size_t slash = text.find('/');
  if (slash != text.npos) {
    const auto prefix = number_in(text.substr(slash + 1));
    if (!prefix || *prefix < 0 || *prefix > 32) return {};
    read.prefix = static_cast<int>(*prefix);
  }
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text.substr(0, slash)).c_str(), &address) != 1) return {};
  read.address = ntohl(address.s_addr);
  return read;
}

std::vector<InterfaceAddress> interface_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::vector<InterfaceAddress> found;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_netmask == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    const auto* address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
    const auto* mask = reinterpret_cast<const sockaddr_in*>(at->ifa_netmask);
    found.push_back({at->ifa_name, {ntohl(address->sin_addr.s_addr), std::popcount(mask->sin_addr.s_addr)}});
  }
  return found;
}

std::vector<NetworkInterface> read_interfaces(const fs::path& root, const std::vector<InterfaceAddress>& addresses) {
  std::vector<NetworkInterface> interfaces;
  std::error_code error;
  for (fs::directory_iterator at(root / "sys/class/net", error), end; !error && at != end; at.increment(error)) {
    if (!fs::is_directory(at->path(), error)) continue;  // bonding_masters
    interfaces.push_back(read_interface(at->path()));
  }
  std::sort(interfaces.begin(), interfaces.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (NetworkInterface& interface : interfaces) {
    for (const InterfaceAddress& each : addresses) {
      if (each.name == interface.name) interface.addresses.push_back(each.address);
    }
  }
  return interfaces;
}

const NetworkInterface* main_interface(const std::vector<NetworkInterface>& interfaces) {
  const NetworkInterface* best = nullptr;
  for (const NetworkInterface::Kind kind : {NetworkInterface::Kind::wired, NetworkInterface::Kind::wireless}) {
    for (const NetworkInterface& each : interfaces) {
      if (!each.up || each.addresses.empty() || each.kind != kind) continue;
      if (!best || each.bits_per_second.value_or(0) > best->bits_per_second.value_or(0)) best = &each;
    }
    if (best) return best;
  }
  return nullptr;
}

bool is_made_up_name(std::string_view name) {
  constexpr std::string_view kStarts[] = {"docker", "virbr",   "br-",     "veth",      "tun", "tap",
                                          "wg",     "cni",     "flannel", "cali",      "lxc", "lxdbr",
                                          "vnet",   "vboxnet", "vmnet",   "tailscale", "zt",  "podman"};
  return std::any_of(std::begin(kStarts), std::end(kStarts),
                     [&](std::string_view start) { return name.starts_with(start); });
}

}  // namespace edgelab
