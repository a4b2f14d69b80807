// Runs an ExecuTorch program of one image of 224 x 224 a number of times on one thread, for beside_xnnpack.py, which builds it with
// the headers and libraries of ExecuTorch's wheel:  executorch_model FILE.pte CALLS
#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

// The wheel has the library but not this header.
namespace executorch::extension::threadpool {
class ThreadPool {
 public:
  bool _unsafe_reset_threadpool(std::uint32_t threads);
};
ThreadPool* get_threadpool();
}  // namespace executorch::extension::threadpool

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  executorch::extension::threadpool::get_threadpool()->_unsafe_reset_threadpool(1);
  executorch::extension::Module model(argv[1]);
  std::vector<float> image(3 * 224 * 224);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i * 2654435761U % 1000) / 500 - 1;
  const auto input = executorch::extension::from_blob(image.data(), {1, 3, 224, 224});
  for (int i = 0; i < std::stoi(argv[2]); ++i) {
    if (const auto output = model.forward(input); !output.ok()) {
      std::cerr << argv[1] << ": ExecuTorch's error " << static_cast<int>(output.error()) << "\n";
      return 1;
    }
  }
}
