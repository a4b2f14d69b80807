// The machines that a batch runs on. Every text here ends as an argument of ssh or mpirun, some in a command line that ssh
// hands to the shell of another host: each form lets through only characters that mean nothing to either.
#include <algorithm>

#include "batch/cluster_spec.hpp"
#include "batch/job_file/binding.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {
namespace {

bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool only_letters_digits_and(std::string_view others, std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter_or_digit(c) || others.find(c) != others.npos; });
}

// How Linux names interfaces (IFNAMSIZ), less what Open MPI's lists give a meaning to.
bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= 15 && letter_or_digit(text[0]) && only_letters_digits_and("_.-", text);
}

bool is_number_up_to(std::int64_t most, std::string_view text) {
  const auto number = read_integer(text);
  return number && letter_or_digit(text[0]) && *number >= 0 && *number <= most;
}

// "192.168.1.0/24". Open MPI takes no IPv6 subnets.
bool is_subnet(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos || !is_number_up_to(32, text.substr(slash + 1))) return false;
  std::string_view address = text.substr(0, slash);
  for (int part = 0; part < 3; ++part) {
    const std::size_t dot = address.find('.');
    if (dot == address.npos || !is_number_up_to(255, address.substr(0, dot))) return false;
    address.remove_prefix(dot + 1);
  }
  return is_number_up_to(255, address);
}

bool is_interface(std::string_view text) { return is_interface_name(text) || is_subnet(text); }

bool is_user_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && (letter_or_digit(text[0]) || text[0] == '_') &&
         only_letters_digits_and("_.-", text);
}

bool is_folder(std::string_view text) {
  if (text.empty() || text.size() > 255 || text[0] == '-' || !only_letters_digits_and("_.-/", text)) return false;
  bool names_something = false;  // "/" and "." would be filled with files that belong elsewhere
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find('/', from), text.size());
    const std::string_view part = text.substr(from, to - from);
    if (part == "..") return false;
    names_something = names_something || (!part.empty() && part != ".");
    from = to + 1;
  }
  return names_something;
}

}  // namespace

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && (letter_or_digit(text[0]) || text[0] == ':') &&
         only_letters_digits_and("_.-:", text);
}

const Section& host_section() {
  static const Section made = section<HostSpec>(
      "hosts", "An item of `cluster.hosts`.",
      {
          required(key("name", text_of(is_host_name, "[A-Za-z0-9:][A-Za-z0-9_.:-]{0,254}", "a host name or address"),
                       &HostSpec::name, "by which ssh and mpirun reach it")),
          key("ranks", integer(1, 4096), &HostSpec::ranks, "that run there at once"),
          key("user", text_of(is_user_name, "[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}", "a user name"), &HostSpec::user,
              "to log in as", "ssh's own choice"),
      });
  return made;
}

const Section& cluster_section() {
  static const Section made = section<ClusterSpec>(
      "cluster", "The machines. A file may hold nothing else: it is then for `--hosts`, and for `include`.",
      {
          key("hosts", list(map(host_section), 1), &ClusterSpec::hosts, "see `hosts`", "must be given"),
          key("interfaces",
              one_or_list(text_of(is_interface,
                                  "[A-Za-z0-9][A-Za-z0-9_.-]{0,14}|[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}",
                                  "an interface such as eth0 or a subnet such as 192.168.1.0/24")),
              &ClusterSpec::interfaces, "that MPI uses; `edgelab doctor` proposes them", "Open MPI's own choice"),
          key("folder",
              text_of(is_folder, "[A-Za-z0-9_./][A-Za-z0-9_./-]{0,254}",
                      "a folder of letters, digits, _ - . and /, without a part that is .."),
              &ClusterSpec::folder,
              "on every host, for the program and its files; a relative one stands in the home folder"),
      });
  return made;
}

}  // namespace edgelab::batch
