#pragma once

#include <sys/resource.h>

#include <csignal>

namespace edgelab::test {

// A limit on file sizes stands for a full disk: the kernel refuses the write in the same place.
class TightDisk {
 public:
  explicit TightDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit tight = limit_;
    tight.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~TightDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit limit_{};
  void (*handler_)(int);
};

}  // namespace edgelab::test
