#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "data/image.hpp"
#include "data/pixels.hpp"

namespace edgelab::data {

// What is done to training images. The first three change one source image (8 bits, its own size) in this order; the last
// two mix two preprocessed ones (data/mixing.hpp).
struct Augmentations {
  bool crop = false;         // padded with black by an eighth of the side (CIFAR's 4 pixels), then cut out at random
  bool flip = false;         // left to right, one in two
  bool randaugment = false;  // data/rand_augment.hpp
  bool mixup = false;
  bool cutmix = false;  // with `mixup`: one of the two a batch, by a coin, as timm does
  bool operator==(const Augmentations&) const = default;

  bool any_of_image() const { return crop || flip || randaugment; }
  bool any_mixing() const { return mixup || cutmix; }
};

// In the order in which they are done.
const std::vector<std::string>& augmentation_names();
// Throws Error (usage) for an unknown name.
Augmentations augmentations_named(const std::vector<std::string>& names);

// Augments one image at a time. Holds its result and scratch memory: one object a thread.
class ImageAugmenter {
 public:
  explicit ImageAugmenter(const Augmentations& augmentations) : wanted_(augmentations) {}

  // Of the image's own size. The result is this object's and lasts until the next call; without augmentations it is
  // `image` itself. What is done depends on the image's size and on `random` alone.
  Image operator()(const Image& image, CounterRandom random);

 private:
  Augmentations wanted_;
  Pixels pixels_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace edgelab::data
