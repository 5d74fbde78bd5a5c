#include "tests/support/virtual_machine.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

namespace cellos::test {

namespace {

constexpr const char* emulator = "/usr/bin/qemu-system-x86_64";

/// Of tests/e2e/guest/make_image.sh.
std::filesystem::path image(const char* part) {
  return std::filesystem::path{CELLOS_SOURCE_DIR} / "build" / "guest" / part;
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  std::ofstream file{path, std::ios::binary};
  file << content;
  if (!file.flush()) throw std::runtime_error{path.string() + " cannot be written"};
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The common one, with the scenario behind it: the kernel unpacks archives one after the other, each at a multiple of
/// four bytes.
std::filesystem::path make_file_system(const virtual_machine_settings& settings, const std::filesystem::path& place) {
  const auto scenario = place / "scenario";
  std::filesystem::create_directory(scenario);
  write_file(scenario / "run", settings.script);
  for (const auto& [name, bytes] : settings.files) {
    write_file(scenario / name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  const std::string pack =
      "cd '" + place.string() + "' && find scenario | cpio --create --format newc --quiet >archive";
  process packing{{"/bin/sh", {"-c", pack}}};
  if (packing.wait() != 0) throw std::runtime_error{"cpio: " + packing.err()};
  std::string all = content_of(image("initramfs.gz"));
  all.resize((all.size() + 3) / 4 * 4, '\0');
  all += content_of(place / "archive");
  write_file(place / "initramfs", all);
  return place / "initramfs";
}

std::vector<std::string> arguments_of(const virtual_machine_settings& settings, const std::filesystem::path& files) {
  std::vector<std::string> arguments{"-accel", "tcg", "-m", "128", "-display", "none", "-nodefaults", "-no-user-config",
                                     "-no-reboot",
                                     // The guest's words.
                                     "-serial", "file:/dev/stderr", "-kernel", image("vmlinuz"), "-initrd", files,
                                     // Whoever panics restarts, which -no-reboot makes its end.
                                     "-append", "console=ttyS0 quiet panic=-1 ipv6.disable=1", "-chardev",
                                     "socket,id=telemetry,path=" + settings.telemetry_socket, "-device",
                                     "virtio-serial-pci", "-device", "virtserialport,chardev=telemetry,name=telemetry"};
  if (settings.tap.empty()) return arguments;
  for (const std::string& each :
       {std::string{"-netdev"}, "tap,id=net,ifname=" + settings.tap + ",script=no,downscript=no",
        std::string{"-device"}, std::string{"virtio-net-pci,netdev=net,romfile="}}) {
    arguments.push_back(each);
  }
  return arguments;
}

command command_of(const virtual_machine_settings& settings, const std::filesystem::path& place) {
  command qemu{emulator, arguments_of(settings, make_file_system(settings, place))};
  if (settings.network_namespace.empty()) return qemu;
  const auto entered =
      std::make_shared<const file_descriptor>(::open(settings.network_namespace.c_str(), O_RDONLY | O_CLOEXEC));
  qemu.before_exec = [entered] {
    if (::setns(entered->get(), CLONE_NEWNET) != 0) ::_exit(126);
  };
  return qemu;
}

}  // namespace

virtual_machine::virtual_machine(const virtual_machine_settings& settings, std::unique_ptr<temporary_directory> place)
    : process(command_of(settings, place->path())), place_(std::move(place)) {}

std::optional<std::string> virtual_machine::missing() {
  for (const std::filesystem::path& each : {std::filesystem::path{emulator}, image("vmlinuz"), image("initramfs.gz")}) {
    if (!std::filesystem::exists(each)) return each.string() + " is not there; ./dev test installs and makes it";
  }
  return std::nullopt;
}

}  // namespace cellos::test
