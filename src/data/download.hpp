#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace edgelab::data {

// Called now and then with bytes there and bytes in all (0: not known), from the calling thread.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

// What a download gave: whether bytes of an earlier, broken one were used.
struct DownloadResult {
  bool resumed = false;
};

// Downloads `url` (http or https, at most five redirects, none from https to http) into `part`. Bytes already there are
// kept and the rest asked for by range; a server that ignores ranges makes it start again. A transfer that breaks is
// taken up again as long as each attempt brings something. Blocks. The bytes are on disk (fsync) when it returns.
// Throws Error (environment): no network, a refusal by the server, a full disk, more than 2 GiB.
DownloadResult download(const std::string& url, const std::filesystem::path& part, const Progress& progress);

}  // namespace edgelab::data
