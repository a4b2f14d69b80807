#include "app/model_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "models/convert.hpp"
#include "models/model.hpp"
#include "models/model_weights.hpp"
#include "models/quantized_tensors.hpp"

namespace edgelab::app {
namespace {

using nlohmann::json;

struct InfoArguments {
  std::string subject;
  models::ModelOptions options;
  bool as_json = false;
};

struct ConvertArguments {
  std::string in, out, dtype;
};

struct ExportArguments {
  std::string in, out;
};

std::vector<std::int64_t> extents_of(const Shape& shape) { return {shape.extents().begin(), shape.extents().end()}; }

void print_json(const json& document) { fmt::print("{}\n", document.dump(2, ' ', false, json::error_handler_t::replace)); }

std::string millions(std::int64_t count) { return fmt::format("{:.2f} M", static_cast<double>(count) / 1e6); }

json layers_of(const graph::Graph& graph) {
  json layers = json::array();
  for (const graph::Node& node : graph.nodes()) {
    layers.push_back({{"name", node.name},
                      {"op", node.op.name()},
                      {"settings", node.op.text()},
                      {"output", extents_of(graph.type(node.outputs[0]).shape)},
                      {"flop", graph.flop(node)}});
  }
  return layers;
}

json weights_of(const graph::Graph& graph) {
  json weights = json::array();
  for (const graph::ValueId id : graph.weights()) {
    const graph::Value& value = graph.value(id);
    weights.push_back({{"name", value.name},
                       {"kind", value.kind == graph::ValueKind::parameter ? "parameter" : "buffer"},
                       {"shape", extents_of(value.type.shape)}});
  }
  return weights;
}

// As they are written in decimal: 0.485, not the nearest float's 0.48500001.
std::vector<double> decimal(const std::array<float, 3>& values) {
  std::vector<double> result;
  for (const float value : values) result.push_back(std::stod(fmt::format("{}", value)));
  return result;
}

void print_arch_json(const models::ArchInfo& info, const models::ModelOptions& options, const graph::Graph& graph) {
  print_json({{"arch", info.name},
              {"input_size", models::input_size_of(options)},
              {"classes", graph.type(graph.outputs()[0]).shape.back()},
              {"mean", decimal(info.mean)},
              {"std", decimal(info.std)},
              {"interpolation", info.interpolation == models::Interpolation::bicubic ? "bicubic" : "bilinear"},
              {"parameters", graph.parameter_elements()},
              {"flop", graph.flop()},
              {"layers", layers_of(graph)},
              {"weights", weights_of(graph)}});
}

void print_arch_table(const models::ArchInfo& info, const models::ModelOptions& options, const graph::Graph& graph) {
  const int size = models::input_size_of(options);
  fmt::print("{}\n", info.name);
  fmt::print("  input       3 x {} x {}, mean {}, std {}, {}\n", size, size, fmt::join(info.mean, " "), fmt::join(info.std, " "),
             info.interpolation == models::Interpolation::bicubic ? "bicubic" : "bilinear");
  fmt::print("  classes     {}\n", graph.type(graph.outputs()[0]).shape.back());
  fmt::print("  parameters  {} ({} tensors, {:.1f} MB in fp32)\n", graph.parameter_elements(), graph.weights().size(),
             static_cast<double>(graph.parameter_elements()) * 4e-6);
  fmt::print("  work        {} floating-point operations an image\n\n", millions(graph.flop()));
  fmt::print("  {:<28}{:<22}{:<20}{:>12}\n", "layer", "op", "output", "FLOP");
  for (const graph::Node& node : graph.nodes()) {
    fmt::print("  {:<28}{:<22}{:<20}{:>12}\n", node.name, node.op.name(), graph.type(node.outputs[0]).shape.text(), millions(graph.flop(node)));
  }
}

void describe_arch(const models::ArchInfo& info, const InfoArguments& arguments) {
  models::ModelOptions options = arguments.options;
  options.arch = info.name;
  const graph::Graph graph = models::build(options, 1);
  if (arguments.as_json) {
    print_arch_json(info, options, graph);
  } else {
    print_arch_table(info, options, graph);
  }
}

void print_quantization(const graph::Quantization& quantization) {
  std::map<int, int> layers_of_bits;
  for (const auto& [name, layer] : quantization.layers) ++layers_of_bits[layer.weight_bits];
  for (const auto& [bits, count] : layers_of_bits) fmt::print("  integers: {} layers with weights of {} bits\n", count, bits);
  if (!quantization.attentions.empty()) fmt::print("  integers: {} attentions\n", quantization.attentions.size());
}

void describe_file(const InfoArguments& arguments) {
  const auto file = models::Safetensors::open(arguments.subject);
  std::int64_t elements = 0;
  std::size_t bytes = 0;
  json tensors = json::array();
  for (const models::NamedTensor& item : file.tensors()) {
    elements += item.tensor.elements();
    bytes += item.tensor.bytes();
    tensors.push_back({{"name", item.name},
                       {"dtype", models::safetensors_name_of(item.tensor.dtype())},
                       {"shape", extents_of(item.tensor.shape())}});
  }
  if (arguments.as_json) {
    print_json({{"file", arguments.subject}, {"metadata", file.metadata()}, {"elements", elements}, {"bytes", bytes}, {"tensors", tensors}});
    return;
  }
  fmt::print("{}\n  {} tensors, {} elements, {:.1f} MB\n", arguments.subject, file.tensors().size(), elements, static_cast<double>(bytes) * 1e-6);
  for (const auto& [key, value] : file.metadata()) {
    if (key != models::kQuantization) fmt::print("  {}: {}\n", key, value);
  }
  if (file.metadata().contains(models::kQuantization)) print_quantization(models::model_weights(file).quantization);
  for (const models::NamedTensor& item : file.tensors()) {
    fmt::print("  {:<5} {:<20} {}\n", models::safetensors_name_of(item.tensor.dtype()), item.tensor.shape().text(), item.name);
  }
}

void info(const InfoArguments& arguments) {
  if (const models::ArchInfo* arch = models::find_arch(arguments.subject)) {
    describe_arch(*arch, arguments);
    return;
  }
  // What neither is a file nor looks like a path is a slip in the name of an architecture.
  const std::filesystem::path path(arguments.subject);
  if (!std::filesystem::exists(path) && !path.has_parent_path() && !path.has_extension()) models::arch_named(arguments.subject);
  describe_file(arguments);
}

void convert(const ConvertArguments& arguments) {
  static const std::map<std::string, DType> types = {{"fp32", DType::f32}, {"fp16", DType::f16}, {"bf16", DType::bf16}};
  const auto file = models::Safetensors::open(arguments.in);
  models::write_safetensors(arguments.out, models::converted(file, types.at(arguments.dtype)), file.metadata());
  fmt::print("{}: {} tensors, floating-point ones in {}\n", arguments.out, file.tensors().size(), arguments.dtype);
}

void export_dense(const ExportArguments& arguments) {
  const models::ModelWeights weights = models::model_weights(models::Safetensors::open(arguments.in));
  std::vector<models::NamedTensor> dense;
  for (const models::NamedTensor& item : weights.tensors) dense.push_back({item.name, models::is_floating(item.tensor.dtype()) ? item.tensor.to_f32() : item.tensor});
  models::write_safetensors(arguments.out, dense, weights.metadata);
  fmt::print("{}: {} tensors in fp32{}\n", arguments.out, dense.size(), weights.quantization.empty() ? "" : ", integers as the numbers that they stand for");
}

void add_info(CLI::App& command, int& exit_code) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* info_command = command.add_subcommand("info", "What an architecture is made of, or a weights file holds");
  info_command->add_option("subject", arguments->subject, "torchvision or timm name, or a .safetensors file")->required();
  info_command->add_flag("--json", arguments->as_json, "For machines");
  models::ModelOptions& options = arguments->options;
  info_command->add_option("--classes", options.classes, "Of the architecture, as under `model` in a job file; so are the others");
  info_command->add_option("--input-size", options.input_size, "Pixels");
  info_command->add_option("--width-mult", options.width_mult, "MobileNetV2");
  info_command->add_option("--img-size", options.img_size, "ViT family");
  info_command->add_option("--patch-size", options.patch_size, "ViT family");
  info_command->add_option("--depth", options.depth, "ViT family");
  info_command->add_option("--embed-dim", options.embed_dim, "ViT family");
  info_command->add_option("--num-heads", options.num_heads, "ViT family");
  info_command->callback([arguments, &exit_code] {
    info(*arguments);
    exit_code = 0;
  });
}

void add_convert(CLI::App& command, int& exit_code) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* convert_command = command.add_subcommand("convert", "Write a weights file with another floating-point type");
  convert_command->add_option("in", arguments->in, "A .safetensors file")->required();
  convert_command->add_option("out", arguments->out, "The file to write; may be the same")->required();
  convert_command->add_option("--dtype", arguments->dtype, "fp32, fp16 or bf16")->required()->check(CLI::IsMember({"fp32", "fp16", "bf16"}));
  convert_command->callback([arguments, &exit_code] {
    convert(*arguments);
    exit_code = 0;
  });
}

void add_export(CLI::App& command, int& exit_code) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* export_command = command.add_subcommand("export", "Write a pruned or quantized model as dense fp32 weights that torchvision and timm load");
  export_command->add_option("in", arguments->in, "A .safetensors file")->required();
  export_command->add_option("out", arguments->out, "The file to write; may be the same")->required();
  export_command->callback([arguments, &exit_code] {
    export_dense(*arguments);
    exit_code = 0;
  });
}

}  // namespace

void add_model_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("model", "Look at architectures and weights files, convert and export weights");
  command->require_subcommand(1);
  add_info(*command, exit_code);
  add_convert(*command, exit_code);
  add_export(*command, exit_code);
}

}  // namespace edgelab::app
