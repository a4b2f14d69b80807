// Whether a host answers, and what to do if not.
#include <fmt/format.h>

#include "batch/doctor/findings.hpp"
#include "results/text/units.hpp"

namespace edgelab::batch::doctor {
namespace {

struct Explanation {
  std::string_view sign;  // in what ssh says
  const char* text;
  const char* fix;  // {login}: user@host, {host}: the host
};

// The first that fits is told, so the more exact stand first: a changed key is followed by "Host key verification failed".
constexpr Explanation kExplanations[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED",
     "ssh knows another key for it: the host was set up anew, or another one has its address",
     "if it was set up anew: ssh-keygen -R {host}, then ssh {login} once, comparing the fingerprint"},
    {"Host key verification failed", "ssh has never met it, and can't ask in the background",
     "ssh {login} once in a terminal, and answer yes if the fingerprint is the host's"},
    {"Permission denied", "it lets this user in by no key",
     "ssh-copy-id {login} (ssh-keygen first, if there is no key yet)"},
    {"Could not resolve hostname", "the name is unknown here",
     "write its address into /etc/hosts on every host, or use NAME.local with avahi, or put the address into the host "
     "file"},
    {"Connection refused", "nothing listens for ssh there", "on {host}: sudo systemctl enable --now ssh"},
    {"No route to host", "no way leads there", "switch it on, and look at cable, switch and address"},
    {"Network is unreachable", "no way leads there", "look at the network of this machine"},
    {"timed out", "it doesn't answer", "switch it on, and look at cable, switch, address and firewall"},
};

std::string filled(std::string text, const HostSpec& host) {
  const std::string login = host.user.empty() ? host.name : host.user + "@" + host.name;
  for (std::size_t at; (at = text.find("{login}")) != std::string::npos;) text.replace(at, 7, login);
  for (std::size_t at; (at = text.find("{host}")) != std::string::npos;) text.replace(at, 6, host.name);
  return text;
}

// The last line that says something: ssh's reason, after banners and warnings.
std::string last_line(const std::string& text) {
  std::string last;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string line = text.substr(from, end - from);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) last = line;
    from = end + 1;
  }
  return last;
}

Finding unreachable(const Visit& visit) {
  const std::string said = last_line(visit.errors);
  const std::string quoted = said.empty() ? "" : " (" + said + ")";
  for (const Explanation& each : kExplanations) {
    if (visit.errors.find(each.sign) != std::string::npos)
      return {visit.host.name, "ssh", Level::bad, std::string("not reached: ") + each.text + quoted,
              filled(each.fix, visit.host)};
  }
  return {visit.host.name, "ssh", Level::bad,
          "not reached" + (said.empty() ? ": the remote shell ended without a word" : quoted),
          filled("try it by hand: ssh {login} true", visit.host)};
}

// What the shell of the other side, or the loader, says of a program that doesn't start.
Finding broken_program(const Visit& visit) {
  const std::string said = last_line(visit.errors);
  std::string fix = "put the program there again: ./lab hosts FILE";
  if (visit.errors.find("error while loading shared libraries") != std::string::npos)
    fix = "install what it needs there: ./lab hosts FILE --packages";
  if (visit.errors.find("Exec format error") != std::string::npos)
    fix =
        "the program is for another kind of processor than " + visit.architecture + ": build it on a host of that kind";
  if (visit.errors.find("GLIBC") != std::string::npos)
    fix = "the host's system is older than the one that built the program: build it there";
  return {visit.host.name, "program", Level::bad,
          visit.program + " does not work there" + (said.empty() ? "" : ": " + said), fix};
}

}  // namespace

std::vector<Finding> reach_findings(const Visit& visit, const ClusterSpec& cluster) {
  const std::string& name = visit.host.name;
  if (visit.outcome == Visit::Outcome::unreachable) return {unreachable(visit)};
  if (visit.outcome == Visit::Outcome::out_of_time)
    return {
        {name, "ssh", Level::bad,
         "no answer in time" + (visit.errors.empty() ? "" : " (" + last_line(visit.errors) + ")"),
         filled("try it by hand: ssh {login} true; a disk or a name service that hangs makes it slow", visit.host)}};
  const Finding reached{name, "ssh", Level::ok,
                        visit.this_machine
                            ? "this machine: no ssh needed"
                            : "reached in " + results::duration_text(static_cast<double>(visit.duration_ns)),
                        ""};
  if (visit.outcome == Visit::Outcome::no_program)
    return {reached,
            {name, "program", Level::bad,
             fmt::format("there is no {}/bin/edgelab on this {} host", cluster.folder, visit.architecture),
             "put it there: ./lab hosts FILE"}};
  if (visit.outcome == Visit::Outcome::broken_program) return {reached, broken_program(visit)};
  return {reached};
}

}  // namespace edgelab::batch::doctor
