#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace cellos {

/// Bytes that nobody else should read: locked in memory where the system allows it, between guard pages, left out of
/// core dumps, wiped when they go. Move-only.
class secret {
 public:
  secret() = default;
  /// Zeros. Throws std::bad_alloc.
  explicit secret(std::size_t bytes);
  explicit secret(std::span<const std::uint8_t> bytes);
  secret(secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  secret& operator=(secret&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~secret() = default;

  std::span<const std::uint8_t> bytes() const { return {bytes_.get(), size_}; }
  std::span<std::uint8_t> bytes() { return {bytes_.get(), size_}; }
  /// Bytes beyond `size` stay where they are, until all are wiped.
  void shrink(std::size_t size) { size_ = size < size_ ? size : size_; }

 private:
  struct wipe_and_free {
    void operator()(std::uint8_t* bytes) const noexcept;
  };

  std::unique_ptr<std::uint8_t, wipe_and_free> bytes_;
  std::size_t size_ = 0;
};

/// Starts libsodium, once. Throws std::runtime_error if it has no source of randomness.
void start_libsodium();

}  // namespace cellos
