# INPUT as the bytes of `cellos::status_page` in OUTPUT.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],){20})" "\\1\n    " bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"runtime/control/page.hpp\"

namespace cellos {

namespace {

constexpr unsigned char bytes[] = {
    ${bytes}
};

}  // namespace

std::string_view status_page() { return {reinterpret_cast<const char*>(bytes), sizeof bytes}; }

}  // namespace cellos
")
