#pragma once

#include <boost/mpi/packed_iarchive.hpp>
#include <boost/mpi/packed_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "parallel/request.hpp"

namespace edgelab::parallel {

// Structs to bytes and back by Boost.MPI's packed archives (MPI_Pack, so that unlike machines understand each other) for
// control messages. Heavy to include: meant for one .cpp. The bytes travel by our Communicator and not by boost::mpi's
// send and recv: those poll without back-off, know no cancellation, and in Boost 1.74 split a serialised message in two,
// so that a probe with a timeout can't see whether all of it has come.
template <class T> Bytes pack(const T& value) {
  boost::mpi::packed_oarchive::buffer_type buffer;
  boost::mpi::packed_oarchive archive(MPI_COMM_SELF, buffer);
  archive << value;
  const auto* begin = reinterpret_cast<const std::byte*>(buffer.data());
  return {begin, begin + archive.size()};
}

// Throws what Boost throws on bytes that pack<T> did not make.
template <class T> T unpack(const Bytes& bytes) {
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  boost::mpi::packed_iarchive::buffer_type buffer(begin, begin + bytes.size());
  boost::mpi::packed_iarchive archive(MPI_COMM_SELF, buffer);
  T value;
  archive >> value;
  return value;
}

}  // namespace edgelab::parallel
