// Errors as text: the table of the contract, searched.
#include <kairos/errors.h>

namespace {

struct ErrorText {
    int number;
    const char* name;
    const char* text;
};

constexpr ErrorText kErrors[] = {
#define KAIROS_ERROR_TEXT(name, number, text) {number, "E" #name, text},
    KAIROS_ERRORS(KAIROS_ERROR_TEXT)
#undef KAIROS_ERROR_TEXT
};

constexpr ErrorText kSuccess = {0, "OK", "success"};
constexpr ErrorText kUnknown = {0, "E?", "unknown error"};

const ErrorText& find(kairos_status_t status) {
    if (status >= 0) return kSuccess;
    for (const ErrorText& error : kErrors) {
        if (error.number == -status) return error;
    }
    return kUnknown;
}

}  // namespace

extern "C" {

const char* kairos_status_name(kairos_status_t status) { return find(status).name; }
const char* kairos_status_text(kairos_status_t status) { return find(status).text; }

}  // extern "C"
