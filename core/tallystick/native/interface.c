/* The number of this library's interface: raised whenever a function or a layout changes, so that an old build is not used. */
#include <stdint.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int32_t tallystick_interface(void) {
    return 5;
}
