#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.hpp"

namespace edgelab::data {

// Fisher and Yates's shuffle, spelt out: std::shuffle's order differs between libraries.
void shuffle(std::span<std::int64_t> items, CounterRandom random);

// The order in which an epoch of training goes through positions [0, samples): a permutation that `seed` and `epoch` give,
// the same on every machine. 50,000 samples take a millisecond.
std::vector<std::int64_t> epoch_order(std::int64_t samples, std::uint64_t seed, std::int64_t epoch);

// Random numbers of one sample in one epoch: what it draws is its own, whoever loads it.
CounterRandom sample_random(std::uint64_t seed, std::int64_t epoch, std::int64_t position);
// … of what one step does to its whole batch.
CounterRandom step_random(std::uint64_t seed, std::int64_t epoch, std::int64_t step);

}  // namespace edgelab::data
