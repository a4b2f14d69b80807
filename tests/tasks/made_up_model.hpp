#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tasks/scenario/queries.hpp"

namespace edgelab::test {

// A clock that moves only while it is waited for, and a model whose calls take as long on it as a test says.
class MadeUpModel {
 public:
  explicit MadeUpModel(std::int64_t call_ns, int batch = 1)
      : batch_(batch), lasts_([call_ns](std::int64_t) { return call_ns; }) {}
  // How long a call takes, by how many were before it.
  void lasts(std::function<std::int64_t(std::int64_t)> lasts) { lasts_ = std::move(lasts); }

  tasks::Timer timer() {
    return {[this] { return now_; }, [this](std::int64_t time) { now_ = time; }};
  }
  tasks::Subject subject() {
    return {batch_, 100, [this](std::span<const std::int64_t> samples) {
              now_ += lasts_(static_cast<std::int64_t>(asked_.size()));
              asked_.push_back(samples.size());
            }};
  }
  const std::vector<std::size_t>& asked() const { return asked_; }  // samples of each call

 private:
  std::int64_t now_ = 12'345;
  int batch_;
  std::function<std::int64_t(std::int64_t)> lasts_;
  std::vector<std::size_t> asked_;
};

}  // namespace edgelab::test
