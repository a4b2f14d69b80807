#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace edgelab::data::test {

// How the server treats its clients.
struct ServerManners {
  std::vector<std::uint8_t> body;
  std::size_t cut_after = SIZE_MAX;  // bytes of body after which it hangs up, though it promised more
  bool ignore_ranges = false;
  std::size_t range_shift = 0;  // answers with a range that begins so many bytes later than asked for
  std::string redirect_to;      // "/loop" redirects for ever
  int status = 200;
};

// One file over HTTP/1.1 on 127.0.0.1, at a port of the kernel's choice, one client after another, in a thread that ends
// with the object. Every wait is bounded.
class LocalHttpServer {
 public:
  explicit LocalHttpServer(ServerManners manners)
      : manners_(std::move(manners)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || bind(listener_, generic, length) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, generic, &length) != 0) {
      throw std::runtime_error("the test's server can't listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~LocalHttpServer() {
    stopping_ = true;
    thread_.join();
    close(listener_);
  }
  LocalHttpServer(const LocalHttpServer&) = delete;
  LocalHttpServer& operator=(const LocalHttpServer&) = delete;

  std::string url(const std::string& path = "/archive.tar.gz") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  // The first byte each request asked for, in order of requests; 0 without a range.
  std::vector<std::size_t> starts() const {
    const std::lock_guard lock(mutex_);
    return starts_;
  }

 private:
  static bool readable(int descriptor, int milliseconds) {
    pollfd waiting{descriptor, POLLIN, 0};
    return poll(&waiting, 1, milliseconds) > 0;
  }

  void serve() {
    while (!stopping_) {
      if (!readable(listener_, 20)) continue;
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      answer(client);
      close(client);
    }
  }

  void answer(int client) {
    std::string request;
    char piece[4096];
    while (request.find("\r\n\r\n") == std::string::npos && readable(client, 2000)) {
      const ssize_t got = recv(client, piece, sizeof(piece), 0);
      if (got <= 0) return;
      request.append(piece, static_cast<std::size_t>(got));
    }
    const std::size_t range = request.find("\r\nRange: bytes=");
    const std::size_t asked = range == std::string::npos ? 0 : std::stoul(request.substr(range + 15));
    {
      const std::lock_guard lock(mutex_);
      starts_.push_back(asked);
    }
    const bool redirects =
        !manners_.redirect_to.empty() && (request.starts_with("GET /old") || request.starts_with("GET /loop"));
    if (redirects)
      return send_text(client, "HTTP/1.1 302 Found\r\nLocation: " + manners_.redirect_to +
                                   "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    if (manners_.status != 200) {
      return send_text(client, "HTTP/1.1 " + std::to_string(manners_.status) +
                                   " No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    send_body(client, manners_.ignore_ranges ? 0 : asked);
  }

  void send_body(int client, std::size_t start) {
    const std::size_t size = manners_.body.size();
    if (start >= size && start > 0) {
      return send_text(client, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    std::string header = "HTTP/1.1 200 OK\r\n";
    if (start > 0) {
      start = std::min(start + manners_.range_shift, size);
      header = "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes " + std::to_string(start) + "-" +
               std::to_string(size - 1) + "/" + std::to_string(size) + "\r\n";
    }
    send_text(client, header + "Content-Length: " + std::to_string(size - start) + "\r\nConnection: close\r\n\r\n");
    const std::size_t count = std::min(size - start, manners_.cut_after);
    send_bytes(client, manners_.body.data() + start, count);
  }

  static void send_text(int client, const std::string& text) { send_bytes(client, text.data(), text.size()); }

  static void send_bytes(int client, const void* bytes, std::size_t count) {
    const timeval limit{5, 0};
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    const char* from = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t put = send(client, from, count, MSG_NOSIGNAL);
      if (put <= 0) return;
      from += put;
      count -= static_cast<std::size_t>(put);
    }
  }

  const ServerManners manners_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::size_t> starts_;
  std::thread thread_;
};

}  // namespace edgelab::data::test
