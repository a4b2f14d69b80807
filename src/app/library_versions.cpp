#include "app/library_versions.hpp"

#include <boost/version.hpp>
#include <dnnl.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>

#include "parallel/environment.hpp"

namespace edgelab::app {

std::vector<std::pair<std::string, std::string>> library_versions() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  const dnnl_version_t* dnnl = dnnl_version();
  std::string mpi = parallel::mpi_library_version();
  mpi = mpi.substr(0, mpi.find(','));
  return {{"MPI", mpi},
          {"HDF5", fmt::format("{}.{}.{}", major, minor, release)},
          {"oneDNN", fmt::format("{}.{}.{} {}", dnnl->major, dnnl->minor, dnnl->patch, dnnl->hash)},
          {"glibc", gnu_get_libc_version()},
          {"Boost", BOOST_LIB_VERSION},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
          {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)}};
}

}  // namespace edgelab::app
