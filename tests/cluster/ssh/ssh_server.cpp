#include "ssh_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/run_program.hpp"

namespace edgelab::test {
namespace fs = std::filesystem;
namespace {

constexpr const char* kProgram = "/usr/sbin/sshd";
constexpr const char* kPrivileges = "/run/sshd";  // an sshd of root's wants this folder

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bind(descriptor, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  close(descriptor);
  return ntohs(address.sin_port);
}

bool listens(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return connected;
}

std::string content_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

std::string SshServer::lacking() {
  if (access(kProgram, X_OK) != 0) return "there is no sshd: apt-get install openssh-server";
  if (std::system("command -v ssh >/dev/null && command -v ssh-keygen >/dev/null") != 0)
    return "there is no ssh client";
  std::error_code error;
  if (geteuid() == 0 && !fs::is_directory(kPrivileges, error) && !fs::create_directory(kPrivileges, error))
    return std::string("there is no ") + kPrivileges;
  return {};
}

SshServer::SshServer(const std::vector<std::string>& hosts) {
  for (std::size_t i = 0; i < hosts.size(); ++i) ports_.push_back(free_port());
  for (const char* key : {"host_key", "user_key", "other_key"})
    run_program("ssh-keygen -q -t ed25519 -N '' -C edgelab -f " + (folder_ / key).string());
  write_configuration(hosts);
  introduce(public_key());
  start();
}

SshServer::~SshServer() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

void SshServer::write_configuration(const std::vector<std::string>& hosts) const {
  fs::copy_file(folder_ / "user_key.pub", folder_ / "authorized_keys");
  std::ofstream server(folder_ / "sshd_config"), client(folder_ / "ssh_config");
  for (const int port : ports_) server << "Port " << port << "\n";
  server << "ListenAddress 127.0.0.1\nHostKey " << (folder_ / "host_key").string() << "\nAuthorizedKeysFile "
         << (folder_ / "authorized_keys").string()
         << "\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string home = (folder_ / hosts[i]).string();
    fs::create_directory(home);
    server << "Match LocalPort " << ports_[i] << "\n  ForceCommand cd " << home << " && HOME=" << home
           << " exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n";
    client << "Host " << hosts[i] << "\n  HostName 127.0.0.1\n  Port " << ports_[i] << "\n";
  }
  client << "Host *\n  IdentityFile " << (folder_ / "user_key").string()
         << "\n  IdentitiesOnly yes\n  UserKnownHostsFile " << (folder_ / "known_hosts").string()
         << "\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking ask\n";
}

void SshServer::start() {
  const std::string configuration = (folder_ / "sshd_config").string(), log_file = (folder_ / "log").string();
  process_ = fork();
  if (process_ == 0) {
    execl(kProgram, kProgram, "-D", "-f", configuration.c_str(), "-E", log_file.c_str(), nullptr);
    _exit(127);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!answers_ && std::chrono::steady_clock::now() < until && waitpid(process_, nullptr, WNOHANG) == 0) {
    answers_ = listens(ports_.back());
    if (!answers_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (!answers_ && kill(process_, 0) != 0) process_ = -1;
}

void SshServer::introduce(const std::string& key) const {
  std::ofstream known(folder_ / "known_hosts", std::ios::trunc);
  for (const int port : ports_) {
    if (!key.empty()) known << "[127.0.0.1]:" << port << " " << key;
  }
}

std::string SshServer::log() const { return content_of(folder_ / "log"); }
std::string SshServer::public_key() const { return content_of(folder_ / "host_key.pub"); }
std::string SshServer::other_public_key() const { return content_of(folder_ / "other_key.pub"); }

}  // namespace edgelab::test
