#include "runtime/signing/ecdsa_p256.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include <algorithm>

namespace cellos::ecdsa_p256 {

namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;

using owned_number = owned<BIGNUM, BN_clear_free>;
using owned_signature = owned<ECDSA_SIG, ECDSA_SIG_free>;
using owned_digest_context = owned<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr std::size_t half = 32;
/// What DER adds to 64 bytes, and some more.
constexpr std::size_t longest_der = 80;

std::shared_ptr<EVP_PKEY> key_of(std::span<const std::uint8_t> point, const BIGNUM* scalar) {
  const owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder{OSSL_PARAM_BLD_new()};
  bool good = builder != nullptr &&
              OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) == 1 &&
              OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1;
  if (scalar != nullptr) good = good && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1;
  if (!good) return nullptr;
  const owned<OSSL_PARAM, OSSL_PARAM_free> parameters{OSSL_PARAM_BLD_to_param(builder.get())};
  const owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  EVP_PKEY* made = nullptr;
  const int selection = scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  if (EVP_PKEY_fromdata(context.get(), &made, selection, parameters.get()) != 1) return nullptr;
  return {made, EVP_PKEY_free};
}

/// The order of the curve's group, and half of it: SEC 2, section 2.4.2.
constexpr std::array<std::uint8_t, half> order{0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                               0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                               0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
constexpr std::array<std::uint8_t, half> half_order{0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff,
                                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
                                                    0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

/// (r, s) and (r, order - s) are both good; the one with the lower s is ours.
void make_canonical(std::array<std::uint8_t, 2 * half>& signature) {
  if (has_low_s(signature)) return;
  int borrow = 0;
  for (std::size_t i = half; i-- > 0;) {
    const int difference = int{order[i]} - int{signature[half + i]} - borrow;
    borrow = difference < 0 ? 1 : 0;
    signature[half + i] = static_cast<std::uint8_t>(difference + 256 * borrow);
  }
}

}  // namespace

bool has_low_s(std::span<const std::uint8_t> signature) {
  if (signature.size() != 2 * half) return false;
  const auto s = signature.last(half);
  return !std::lexicographical_compare(half_order.begin(), half_order.end(), s.begin(), s.end());
}

std::optional<key> key::from_scalar(std::span<const std::uint8_t> scalar) {
  if (scalar.size() != scalar_length) return std::nullopt;
  const owned<EC_GROUP, EC_GROUP_free> group{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
  const owned_number number{BN_secure_new()};
  if (group == nullptr || number == nullptr) return std::nullopt;
  if (BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), number.get()) == nullptr) return std::nullopt;
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0) return std::nullopt;
  const owned<EC_POINT, EC_POINT_free> point{EC_POINT_new(group.get())};
  std::array<std::uint8_t, point_length> encoded{};
  if (point == nullptr || EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
                         nullptr) != encoded.size()) {
    return std::nullopt;
  }
  auto evp = key_of(encoded, number.get());
  if (evp == nullptr) return std::nullopt;
  return key{std::move(evp)};
}

std::optional<key> key::from_point(std::span<const std::uint8_t> point) {
  if (point.size() != point_length || point.front() != POINT_CONVERSION_UNCOMPRESSED) return std::nullopt;
  auto evp = key_of(point, nullptr);
  if (evp == nullptr) return std::nullopt;
  const owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context{EVP_PKEY_CTX_new(evp.get(), nullptr)};
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) return std::nullopt;
  return key{std::move(evp)};
}

std::array<std::uint8_t, point_length> key::point() const {
  std::array<std::uint8_t, point_length> encoded{};
  std::size_t length = 0;
  EVP_PKEY_get_octet_string_param(evp_.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size(), &length);
  return encoded;
}

std::optional<std::array<std::uint8_t, 64>> key::sign(std::span<const std::uint8_t> message) const {
  const owned_digest_context context{EVP_MD_CTX_new()};
  std::array<std::uint8_t, longest_der> der{};
  std::size_t length = der.size();
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, evp_.get()) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &length, message.data(), message.size()) != 1) {
    return std::nullopt;
  }
  const std::uint8_t* begin = der.data();
  const owned_signature parsed{d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(length))};
  std::array<std::uint8_t, 2 * half> raw{};
  if (parsed == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), raw.data(), half) != int{half} ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), raw.data() + half, half) != int{half}) {
    return std::nullopt;
  }
  make_canonical(raw);
  return raw;
}

bool key::verify(std::span<const std::uint8_t> message, std::span<const std::uint8_t> signature) const {
  if (signature.size() != 2 * half) return false;
  const owned_signature parsed{ECDSA_SIG_new()};
  owned_number r{BN_bin2bn(signature.data(), half, nullptr)};
  owned_number s{BN_bin2bn(signature.data() + half, half, nullptr)};
  if (parsed == nullptr || r == nullptr || s == nullptr) return false;
  if (ECDSA_SIG_set0(parsed.get(), r.get(), s.get()) != 1) return false;
  // The signature owns them.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  std::array<std::uint8_t, longest_der> der{};
  std::uint8_t* end = der.data();
  const int length = i2d_ECDSA_SIG(parsed.get(), &end);
  const owned_digest_context context{EVP_MD_CTX_new()};
  return length > 0 && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, evp_.get()) == 1 &&
         EVP_DigestVerify(context.get(), der.data(), static_cast<std::size_t>(length), message.data(),
                          message.size()) == 1;
}

}  // namespace cellos::ecdsa_p256
