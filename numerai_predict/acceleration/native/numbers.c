/* Decimal numbers, rounded as strtod rounds them. */
#define _GNU_SOURCE
#include "forest.h"

#include <float.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;

static void make_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/* strtod of the C locale: a model may have set another one. */
static double slow_number(const char *text, char **end)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_locale);
    return c_locale ? strtod_l(text, end, c_locale) : strtod(text, end);
}

#if LDBL_MANT_DIG == 64
static const long double powers[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                     1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                     1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};

/* digits * 10^exponent. Both factors are exact in 64 bits, so that the result is off by half a unit of the
   64th bit at most. It is 0 where that could change the rounding to 53 bits. */
static int rounded(uint64_t digits, int exponent, double *result)
{
    if (exponent < -27 || exponent > 27)
        return 0;
    long double value = exponent < 0 ? (long double)digits / powers[-exponent] : (long double)digits * powers[exponent];
    uint64_t mantissa;
    memcpy(&mantissa, &value, sizeof mantissa);
    uint64_t rest = mantissa & 0x7ff;
    if (rest >= 0x3fe && rest <= 0x402)
        return 0;
    *result = (double)value;
    return 1;
}
#endif

/* The number at `*at`, which moves behind it; it stays where there is none. */
double read_number(const char **at)
{
    char *end;
#if LDBL_MANT_DIG == 64
    const char *text = *at;
    int negative = *text == '-', count = 0, point = 0, exponent = 0;
    uint64_t digits = 0;
    text += negative;
    for (;; text++) {
        if (*text >= '0' && *text <= '9') {
            digits = digits * 10 + (uint64_t)(*text - '0');
            count += digits > 0;
            exponent -= point;
        } else if (*text == '.' && !point) {
            point = 1;
        } else {
            break;
        }
        if (count > 19)
            goto slow;
    }
    if (text == *at + negative + point || *text == 'x' || *text == 'X')
        goto slow;
    if (*text == 'e' || *text == 'E') {
        int sign = text[1] == '-', value = 0, figures = 0;
        const char *from = text + 1 + (text[1] == '-' || text[1] == '+');
        for (; from[figures] >= '0' && from[figures] <= '9' && figures < 4; figures++)
            value = value * 10 + (from[figures] - '0');
        if (figures == 0 || figures == 4)
            goto slow;
        text = from + figures;
        exponent += sign ? -value : value;
    }
    double result = 0;
    if (digits && !rounded(digits, exponent, &result))
        goto slow;
    *at = text;
    return negative ? -result : result;
slow:
#endif
    double slow = slow_number(*at, &end);
    *at = end;
    return slow;
}
