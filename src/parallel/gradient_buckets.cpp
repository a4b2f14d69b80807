#include "parallel/gradient_buckets.hpp"

#include <cstring>

namespace edgelab::parallel {

GradientBuckets::GradientBuckets(const Communicator& communicator, std::span<const std::size_t> elements, std::size_t bucket_bytes)
    : communicator_(communicator), places_(elements.size()) {
  for (std::size_t gradient = elements.size(); gradient-- > 0;) {
    if (buckets_.empty() || buckets_.back().elements * sizeof(float) >= bucket_bytes) buckets_.emplace_back();
    Bucket& bucket = buckets_.back();
    places_[gradient] = {buckets_.size() - 1, bucket.elements, elements[gradient]};
    bucket.elements += elements[gradient];
    ++bucket.gradients;
  }
  for (Bucket& bucket : buckets_) bucket.floats.resize(bucket.elements * sizeof(float));
}

void GradientBuckets::add(std::size_t gradient, std::span<const float> values) {
  const Place& place = places_[gradient];
  Bucket& bucket = buckets_[place.bucket];
  // One without elements may have no memory, from which not even nothing may be copied.
  if (place.elements > 0) std::memcpy(bucket.floats.data() + place.offset * sizeof(float), values.data(), place.elements * sizeof(float));
  ++bucket.added;
  send_full_ones();
}

void GradientBuckets::send_full_ones() {
  // Only MPI calls move MPI on.
  for (std::size_t b = 0; b < sent_; ++b) {
    if (buckets_[b].request) buckets_[b].request->test();
  }
  for (; sent_ < buckets_.size() && buckets_[sent_].added == buckets_[sent_].gradients; ++sent_) {
    buckets_[sent_].request = communicator_.start_all_reduce(std::move(buckets_[sent_].floats), Reduction::sum);
  }
}

void GradientBuckets::finish() {
  for (Bucket& bucket : buckets_) {
    bucket.request->wait();
    bucket.floats = bucket.request->take();
    bucket.request.reset();
    bucket.added = 0;
  }
  sent_ = 0;
}

std::span<const float> GradientBuckets::sum(std::size_t gradient) const {
  const Place& place = places_[gradient];
  return {reinterpret_cast<const float*>(buckets_[place.bucket].floats.data()) + place.offset, place.elements};
}

}  // namespace edgelab::parallel
