#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace edgelab::test {

// Debian's sshd on loopback, with keys, configuration and ports of its own: a port for each host, whose home folder is
// folder()/HOST. `ssh -F folder()/ssh_config HOST` reaches it as this user. Ends with the object.
class SshServer {
 public:
  explicit SshServer(const std::vector<std::string>& hosts);
  ~SshServer();
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;

  // Why there can be no server here; "" if there can.
  static std::string lacking();

  bool answers() const { return answers_; }
  std::string log() const;
  std::filesystem::path folder() const { return folder_.path(); }
  // For EDGELAB_RSH.
  std::string client() const { return "ssh -F " + (folder_ / "ssh_config").string(); }
  // Makes the client know this public key as the server's; the right one, or another.
  void introduce(const std::string& public_key) const;
  std::string public_key() const;
  std::string other_public_key() const;

 private:
  void write_configuration(const std::vector<std::string>& hosts) const;
  void start();

  TemporaryDirectory folder_;
  std::vector<int> ports_;
  pid_t process_ = -1;
  bool answers_ = false;
};

}  // namespace edgelab::test
