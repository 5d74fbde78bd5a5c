#define CAF_SUITE hostile_directory
#include <fcntl.h>
#include <spdlog/logger.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "caf/test/dsl.hpp"
#include "runtime/os/unix_listener.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/runtime/socket_service/collected_chunks.hpp"
#include "tests/runtime/socket_service/faulty_socket_calls.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/passed_descriptor.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace cellos::test;
namespace fs = std::filesystem;

namespace {

/// Puts a link to another's file in the place of the socket just bound.
class link_in_its_place final : public faulty_socket_calls {
 public:
  link_in_its_place(fs::path path, fs::path other) : path_(std::move(path)), other_(std::move(other)) {}

  int bind(int fd, const sockaddr_un& address) override {
    const int bound = faulty_socket_calls::bind(fd, address);
    fs::remove(path_);
    fs::create_hard_link(other_, path_);
    return bound;
  }

 private:
  fs::path path_;
  fs::path other_;
};

/// Puts another directory in the place of the one that the host has looked at.
class another_directory final : public faulty_socket_calls {
 public:
  another_directory(fs::path directory, fs::path other) : directory_(std::move(directory)), other_(std::move(other)) {}

  int bind(int fd, const sockaddr_un& address) override {
    fs::rename(directory_, directory_.native() + ".looked-at");
    fs::create_directory_symlink(other_, directory_);
    return faulty_socket_calls::bind(fd, address);
  }

 private:
  fs::path directory_;
  fs::path other_;
};

/// Connects again, by another name of the socket's file, before the host can see that nobody waits.
class tireless_guest final : public faulty_socket_calls {
 public:
  static constexpr int most = 5000;

  explicit tireless_guest(fs::path name) : name_(std::move(name)) {}

  int accept4(int fd) override {
    if (busy && accepts < most) {
      ++accepts;
      const file_descriptor again{socket()};
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::memcpy(address.sun_path, name_.c_str(), name_.native().size());
      (void)::connect(again.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    return faulty_socket_calls::accept4(fd);
  }

  std::atomic<bool> busy{false};
  std::atomic<int> accepts{0};

 private:
  fs::path name_;
};

struct fixture {
  test::temporary_directory home;
  operator_events events{std::make_shared<spdlog::logger>("test", std::make_shared<soak::event_counter>()),
                         log_format::text};
  cell_specification cell;

  fixture() {
    cell.cell_id = "cell-1";
    cell.vsock_uds_base = home / "cell-1";
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(hostile_directory_tests, fixture)

CAF_TEST(a link to another file in the place of the socket is given to nobody) {
  const fs::path path = home / "control.sock";
  // A file, and a socket that somebody else serves.
  std::ofstream{home / "secret"} << "secret";
  fs::permissions(home / "secret", fs::perms::owner_read);
  const file_descriptor another = test::listen_at(home / "another.sock");
  fs::permissions(home / "another.sock", fs::perms::owner_read);
  for (const char* other : {"secret", "another.sock"}) {
    link_in_its_place calls{path, home / other};
    socket_access access;
    access.mode = 0666;
    const auto bound = unix_listener::bind(path, access, calls);
    CAF_CHECK(!bound.socket);
    CAF_CHECK(bound.refusal.explanation.find("was replaced while being bound") != std::string::npos);
    CAF_CHECK(fs::status(home / other).permissions() == fs::perms::owner_read);
    fs::remove(path);
  }
}

CAF_TEST(a directory that is exchanged while the host binds does not lead it elsewhere) {
  fs::create_directory(home / "cell");
  fs::create_directory(home / "other");
  another_directory calls{home / "cell", home / "other"};
  {
    const auto bound = unix_listener::bind(home / "cell/v.sock", {}, calls);
    CAF_CHECK(fs::is_empty(home / "other"));
    CAF_CHECK(fs::is_socket(home / "cell.looked-at/v.sock"));
    CAF_REQUIRE(bound.socket);
    CAF_MESSAGE("and no guest finds it, which is seen");
    CAF_CHECK(bound.socket.look() == socket_file::gone);
  }
  CAF_CHECK(fs::is_empty(home / "other"));
}

CAF_TEST(a guest that never ceases to connect does not hold up the end of its cell) {
  tireless_guest calls{home / "other-name"};
  socket_service service{{}, events, calls};
  const cell_intake_ptr intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  fs::create_hard_link(cell.socket_path(), home / "other-name");
  collected_chunks collected{intake};
  std::atomic<bool> drained{false};
  calls.busy = true;
  intake->drain([&] { drained = true; });
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return drained.load(); }));
  CAF_CHECK(calls.accepts < tireless_guest::most);
}

CAF_TEST(descriptors beside the bytes of a guest do not reach the host) {
  if (!kernel_can_refuse_descriptors()) {
    CAF_MESSAGE("this kernel always passes them");
    return;
  }
  socket_service service{{}, events};
  const cell_intake_ptr intake = service.bind(cell).intake;
  CAF_REQUIRE(intake);
  const file_descriptor guest{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, cell.socket_path().c_str(), cell.socket_path().size());
  CAF_REQUIRE_EQUAL(::connect(guest.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  CAF_CHECK_EQUAL(send_descriptor(guest.get(), STDIN_FILENO), EPERM);
  CAF_MESSAGE("nor once the connection is accepted");
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return intake->counts().connections_accepted == 1; }));
  CAF_CHECK_EQUAL(send_descriptor(guest.get(), STDIN_FILENO), EPERM);
}

CAF_TEST_FIXTURE_SCOPE_END()
