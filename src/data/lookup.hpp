#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/cifar.hpp"
#include "data/options.hpp"

namespace edgelab::data {

// "cifar10", "cifar100", "images", "shapes10".
const std::vector<std::string>& dataset_names();
// The layout of a data set that is kept in CIFAR's binary files, or nullptr.
const CifarLayout* cifar_layout_of(std::string_view dataset);

// Where data sets are kept unless told otherwise: $EDGELAB_DATA if set, else ~/.cache/edgelab/data.
std::filesystem::path default_data_folder();

// The folder that holds the files of `options`: options.path; else $EDGELAB_DATA/<usual folder>; else
// ~/.cache/edgelab/data/<usual folder>. Throws Error (environment) that lists the places looked in.
std::filesystem::path find_dataset_folder(const DatasetOptions& options);

}  // namespace edgelab::data
