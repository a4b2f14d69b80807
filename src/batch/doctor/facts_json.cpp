#include "batch/doctor/facts_json.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/error.hpp"
#include "core/json_numbers.hpp"

namespace edgelab::batch::doctor {
namespace {

using Json = nlohmann::ordered_json;
using Kind = NetworkInterface::Kind;

constexpr std::array<std::pair<Kind, const char*>, 4> kKinds{
    {{Kind::wired, "wired"}, {Kind::wireless, "wireless"}, {Kind::loopback, "loopback"}, {Kind::made_up, "made_up"}}};

template <class T>
void put_if_known(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

template <class T>
std::optional<T> known(const Json& json, const char* key) {
  if (!json.contains(key)) return std::nullopt;
  if constexpr (std::is_integral_v<T>) return whole_number<T>(json.at(key));
  return json.at(key).get<T>();
}

Json interface_tree(const NetworkInterface& interface) {
  Json json{{"name", interface.name}};
  for (const auto& [kind, name] : kKinds) {
    if (kind == interface.kind) json["kind"] = name;
  }
  json["up"] = interface.up;
  json["mtu"] = interface.mtu;
  put_if_known(json, "bits_per_second", interface.bits_per_second);
  if (interface.half_duplex) json["half_duplex"] = true;
  json["addresses"] = Json::array();
  for (const Ipv4& address : interface.addresses) json["addresses"].push_back(address.text());
  return json;
}

NetworkInterface interface_from(const Json& json) {
  NetworkInterface interface;
  interface.name = json.at("name").get<std::string>();
  const std::string kind_name = json.at("kind").get<std::string>();
  for (const auto& [kind, name] : kKinds) {
    if (kind_name == name) interface.kind = kind;
  }
  interface.up = json.at("up").get<bool>();
  interface.mtu = whole_number<int>(json.at("mtu"));
  interface.bits_per_second = known<std::int64_t>(json, "bits_per_second");
  interface.half_duplex = json.value("half_duplex", false);
  for (const Json& address : json.at("addresses")) {
    if (const auto read = read_ipv4(address.get<std::string>())) interface.addresses.push_back(*read);
  }
  return interface;
}

Json thermal_tree(const ThermalState& thermal) {
  Json json = Json::object();
  put_if_known(json, "celsius", thermal.celsius);
  put_if_known(json, "throttle_bits", thermal.throttle_bits);
  put_if_known(json, "throttle_count", thermal.throttle_count);
  return json;
}

ProgramFacts program_from(const Json& json) {
  ProgramFacts program;
  program.path = json.at("path").get<std::string>();
  program.sha256 = json.at("sha256").get<std::string>();
  program.build = json.at("build").get<std::string>();
  for (const auto& [name, version] : json.at("libraries").items())
    program.libraries.emplace_back(name, version.get<std::string>());
  return program;
}

HostFacts facts_from(const Json& json) {
  HostFacts facts;
  facts.program = program_from(json.at("program"));
  facts.host_name = json.at("host_name").get<std::string>();
  facts.architecture = json.at("architecture").get<std::string>();
  facts.cpu_model = json.at("cpu_model").get<std::string>();
  facts.kernel = json.at("kernel").get<std::string>();
  facts.operating_system = json.at("operating_system").get<std::string>();
  facts.governor = json.at("governor").get<std::string>();
  facts.features = json.at("features").get<std::vector<std::string>>();
  facts.cores = whole_number<int>(json.at("cores"));
  const Json& memory = json.at("memory");
  facts.memory = {whole_number<std::int64_t>(memory.at("total_bytes")), whole_number<std::int64_t>(memory.at("available_bytes")),
                  whole_number<std::int64_t>(memory.at("swap_total_bytes")), whole_number<std::int64_t>(memory.at("swap_free_bytes"))};
  const Json& thermal = json.at("thermal");
  facts.thermal = {known<double>(thermal, "celsius"), known<std::int64_t>(thermal, "throttle_bits"),
                   known<std::int64_t>(thermal, "throttle_count")};
  facts.disk_free_bytes = whole_number<std::int64_t>(json.at("disk_free_bytes"));
  for (const Json& interface : json.at("interfaces")) facts.interfaces.push_back(interface_from(interface));
  facts.mpi_include = json.at("mpi_include").get<std::string>();
  facts.mpi_exclude = json.at("mpi_exclude").get<std::string>();
  return facts;
}

}  // namespace

Json facts_tree(const HostFacts& facts) {
  Json libraries = Json::object();
  for (const auto& [name, version] : facts.program.libraries) libraries[name] = version;
  Json json{{"schema", "edgelab-facts/1"},
            {"host_name", facts.host_name},
            {"architecture", facts.architecture},
            {"cpu_model", facts.cpu_model},
            {"features", facts.features},
            {"cores", facts.cores},
            {"kernel", facts.kernel},
            {"operating_system", facts.operating_system},
            {"governor", facts.governor}};
  json["program"] = {{"path", facts.program.path},
                     {"sha256", facts.program.sha256},
                     {"build", facts.program.build},
                     {"libraries", std::move(libraries)}};
  json["memory"] = {{"total_bytes", facts.memory.total_bytes},
                    {"available_bytes", facts.memory.available_bytes},
                    {"swap_total_bytes", facts.memory.swap_total_bytes},
                    {"swap_free_bytes", facts.memory.swap_free_bytes}};
  json["disk_free_bytes"] = facts.disk_free_bytes;
  json["thermal"] = thermal_tree(facts.thermal);
  json["interfaces"] = Json::array();
  for (const NetworkInterface& interface : facts.interfaces) json["interfaces"].push_back(interface_tree(interface));
  json["mpi_include"] = facts.mpi_include;
  json["mpi_exclude"] = facts.mpi_exclude;
  return json;
}

std::string facts_to_json(const HostFacts& facts) {
  return facts_tree(facts).dump(-1, ' ', false, Json::error_handler_t::replace);
}

HostFacts facts_from_json(std::string_view line) {
  const auto refuse = [](const char* reason) {
    return Error(ErrorKind::data, "the host's facts can't be read")
        .got(reason)
        .hint("put the same edgelab on all hosts: ./lab hosts FILE");
  };
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded() || !json.is_object()) throw refuse("text that is not JSON");
  try {
    if (json.at("schema") != "edgelab-facts/1") throw refuse("JSON of another kind");
    return facts_from(json);
  } catch (const Json::exception& error) {
    throw refuse(error.what());
  }
}

}  // namespace edgelab::batch::doctor
