#include "app/data_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "data/archives.hpp"
#include "data/describe.hpp"
#include "data/fetch.hpp"
#include "data/generate.hpp"
#include "data/lookup.hpp"

namespace edgelab::app {
namespace {

struct FetchArguments {
  std::string dataset, folder, config;
};

struct GenerateArguments {
  std::string dataset, folder;
  data::GenerateOptions options;
};

struct InfoArguments {
  std::string dataset;
  bool json = false;
};

// A line that is written over, on a terminal only; a log needs none.
data::Progress progress_line() {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [](std::int64_t done, std::int64_t total) {
    const auto megabytes = [](std::int64_t bytes) { return static_cast<double>(bytes) / 1e6; };
    const std::string whole = total > 0 ? fmt::format(" of {:.1f}", megabytes(total)) : "";
    fmt::print(stderr, "\r{:.1f}{} MB ", megabytes(done), whole);
    if (total > 0 && done == total) fmt::print(stderr, "\n");
  };
}

void fetch(const FetchArguments& arguments) {
  const data::ArchiveEntry entry = data::archive_of(arguments.dataset, arguments.config);
  const std::filesystem::path root =
      arguments.folder.empty() ? data::default_data_folder() : std::filesystem::path(arguments.folder);
  const data::FetchResult result = data::fetch_dataset(entry, root, progress_line());
  fmt::print("{} {}\n", result.folder.string(), result.already_there ? "is already there" : "is ready");
}

void generate(const GenerateArguments& arguments) {
  data::generate_shapes10(arguments.folder, arguments.options);
  fmt::print("{}: {} train and {} test samples of shapes10, seed {}\n", arguments.folder, arguments.options.train,
             arguments.options.test, arguments.options.seed);
}

nlohmann::json to_json(const data::DatasetDescription& description) {
  nlohmann::json splits = nlohmann::json::array();
  for (const data::SplitDescription& split : description.splits) {
    splits.push_back({{"split", split.split},
                      {"place", split.place},
                      {"samples", split.samples},
                      {"per_class", split.per_class},
                      {"width", {split.least_width, split.most_width}},
                      {"height", {split.least_height, split.most_height}},
                      {"sha256", split.hash}});
  }
  return {{"dataset", description.dataset}, {"class_names", description.class_names}, {"splits", splits}};
}

std::string range_text(int least, int most) {
  return least == most ? std::to_string(least) : fmt::format("{} to {}", least, most);
}

void print_table(const data::DatasetDescription& description) {
  fmt::print("{}, {} classes\n", description.dataset, description.class_names.size());
  for (const data::SplitDescription& split : description.splits) {
    const auto [least, most] = std::minmax_element(split.per_class.begin(), split.per_class.end());
    fmt::print("\n{}\n  from     {}\n  samples  {} ({} to {} a class)\n", split.split, split.place, split.samples,
               *least, *most);
    fmt::print("  pixels   {} wide, {} high\n  sha256   {}\n", range_text(split.least_width, split.most_width),
               range_text(split.least_height, split.most_height), split.hash);
    for (std::size_t i = 0; i < split.per_class.size(); ++i) {
      fmt::print("  {:>7}  {}\n", split.per_class[i], description.class_names[i]);
    }
  }
}

void info(const InfoArguments& arguments) {
  const data::DatasetDescription description = data::describe(arguments.dataset);
  if (arguments.json) {
    fmt::print("{}\n", to_json(description).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_table(description);
  }
}

}  // namespace

void add_data_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("data", "Fetch, generate and look at data sets");
  command->require_subcommand(1);

  auto fetching = std::make_shared<FetchArguments>();
  CLI::App* fetch_command = command->add_subcommand("fetch", "Download a data set, verify and unpack it");
  fetch_command->add_option("dataset", fetching->dataset, "cifar10 or cifar100")->required();
  fetch_command->add_option("--dir", fetching->folder,
                            "Where data sets are kept (default: $EDGELAB_DATA, else ~/.cache/edgelab/data)");
  fetch_command->add_option("--config", fetching->config,
                            "Addresses and checksums, instead of the built-in configs/datasets.yaml");
  fetch_command->callback([fetching, &exit_code] {
    fetch(*fetching);
    exit_code = 0;
  });

  auto generating = std::make_shared<GenerateArguments>();
  CLI::App* generate_command =
      command->add_subcommand("generate", "Write the generated data set as CIFAR-10's binary files");
  generate_command->add_option("dataset", generating->dataset, "shapes10")
      ->required()
      ->check(CLI::IsMember({"shapes10"}));
  generate_command->add_option("--out", generating->folder, "A new or empty folder")->required();
  generate_command->add_option("--seed", generating->options.seed, "Of the drawing (default 0)");
  generate_command->add_option("--train", generating->options.train, "Samples to train with (default 5000)");
  generate_command->add_option("--test", generating->options.test, "Samples to test with (default 1000)");
  generate_command->callback([generating, &exit_code] {
    generate(*generating);
    exit_code = 0;
  });

  auto describing = std::make_shared<InfoArguments>();
  CLI::App* info_command = command->add_subcommand("info", "Print what a data set holds");
  info_command->add_option("dataset", describing->dataset, "A data set's name, or a folder")->required();
  info_command->add_flag("--json", describing->json, "For machines");
  info_command->callback([describing, &exit_code] {
    info(*describing);
    exit_code = 0;
  });
}

}  // namespace edgelab::app
