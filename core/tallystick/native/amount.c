#include "amount.h"

#define INTEGER_DIGITS_MAX 26
#define SCALE 12
/* More digits, or an exponent further from zero, are so rare that the slower rules may have them. */
#define DIGITS_MAX 80
#define EXPONENT_MAX 100

/* `digits` without leading zeros; the point stands behind the first `point` of them (before them all, and zeros, if that is negative). */
typedef struct {
    uint8_t digits[DIGITS_MAX];
    int count;
    int point;
    bool is_negative;
} decimal;

static bool is_digit(const json_cursor *cursor) {
    return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

/* What a look at the spelling showed: where its parts stand. */
typedef struct {
    const uint8_t *integer, *integer_end, *fraction, *fraction_end;
    int exponent;
    bool is_negative, has_exponent;
} spelling;

static bool read_exponent(json_cursor *cursor, int *exponent) {
    bool is_negative = take(cursor, '-');
    if (!is_negative) {
        (void)take(cursor, '+');
    }
    if (!is_digit(cursor)) {
        return false;
    }
    int value = 0;
    while (is_digit(cursor)) {
        value = value * 10 + (*cursor->at++ - '0');
        if (value > EXPONENT_MAX) {
            return false;
        }
    }
    *exponent = is_negative ? -value : value;
    return true;
}

static bool read_spelling(json_cursor *cursor, spelling *number) {
    number->is_negative = take(cursor, '-');
    number->integer = cursor->at;
    if (!is_digit(cursor)) {
        return false;
    }
    if (*cursor->at == '0') {
        cursor->at++;
    } else {
        while (is_digit(cursor)) {
            cursor->at++;
        }
    }
    number->integer_end = number->fraction = number->fraction_end = cursor->at;
    if (take(cursor, '.')) {
        number->fraction = cursor->at;
        while (is_digit(cursor)) {
            cursor->at++;
        }
        number->fraction_end = cursor->at;
        if (number->fraction == number->fraction_end) {
            return false;
        }
    }
    number->exponent = 0;
    number->has_exponent = take(cursor, 'e') || take(cursor, 'E');
    return !number->has_exponent || read_exponent(cursor, &number->exponent);
}

static bool is_canonical(const spelling *number) {
    ptrdiff_t fraction_digits = number->fraction_end - number->fraction;
    if (number->has_exponent || number->integer_end - number->integer > INTEGER_DIGITS_MAX || fraction_digits > SCALE) {
        return false;
    }
    if (fraction_digits > 0) {
        return number->fraction_end[-1] != '0';
    }
    return !number->is_negative || *number->integer != '0';
}

static bool to_decimal(const spelling *number, decimal *value) {
    ptrdiff_t integer_digits = number->integer_end - number->integer;
    ptrdiff_t fraction_digits = number->fraction_end - number->fraction;
    if (integer_digits > DIGITS_MAX || fraction_digits > DIGITS_MAX || integer_digits + fraction_digits > DIGITS_MAX) {
        return false;
    }
    memcpy(value->digits, number->integer, (size_t)integer_digits);
    memcpy(value->digits + integer_digits, number->fraction, (size_t)fraction_digits);
    value->count = (int)(integer_digits + fraction_digits);
    value->point = (int)integer_digits + number->exponent;
    value->is_negative = number->is_negative;
    int zeros = 0;
    while (zeros < value->count && value->digits[zeros] == '0') {
        zeros++;
    }
    value->count -= zeros;
    value->point -= zeros;
    memmove(value->digits, value->digits + zeros, (size_t)value->count);
    return true;
}

/* Whether the digits from `kept` on round the last kept digit up: half-even, by the magnitude. */
static bool rounds_up(const decimal *value, int kept) {
    if (value->digits[kept] != '5') {
        return value->digits[kept] > '5';
    }
    for (int place = kept + 1; place < value->count; place++) {
        if (value->digits[place] != '0') {
            return true;
        }
    }
    return kept > 0 && (value->digits[kept - 1] - '0') % 2 == 1;
}

/* Round to `SCALE` digits behind the point, and take zeros off the end. */
static void round_to_scale(decimal *value) {
    int kept = value->point + SCALE;
    if (kept < 0) {
        value->count = 0;
    } else if (value->count > kept) {
        bool carries = rounds_up(value, kept);
        value->count = kept;
        while (carries && value->count > 0 && value->digits[value->count - 1] == '9') {
            value->count--;
        }
        if (carries && value->count > 0) {
            value->digits[value->count - 1]++;
        } else if (carries) {
            value->digits[0] = '1';
            value->count = 1;
            value->point++;
        }
    }
    while (value->count > 0 && value->digits[value->count - 1] == '0') {
        value->count--;
    }
}

static bool store_zeros(text_store *store, int count) {
    while (count-- > 0) {
        if (!store_byte(store, '0')) {
            return false;
        }
    }
    return true;
}

static bool store_decimal(text_store *store, const decimal *value) {
    if (value->count == 0) {
        return store_byte(store, '0');
    }
    if (value->is_negative && !store_byte(store, '-')) {
        return false;
    }
    int before = value->point < 0 ? 0 : value->point < value->count ? value->point : value->count;
    bool is_stored = before > 0 ? store_bytes(store, value->digits, (size_t)before) && store_zeros(store, value->point - before)
                                : store_byte(store, '0');
    if (!is_stored || before == value->count) {
        return is_stored;
    }
    return store_byte(store, '.') && store_zeros(store, -value->point) &&
           store_bytes(store, value->digits + before, (size_t)(value->count - before));
}

bool read_amount(json_cursor *cursor, text_store *store, text_span *amount) {
    spelling number;
    const uint8_t *start = cursor->at;
    if (!read_spelling(cursor, &number)) {
        return false;
    }
    if (is_canonical(&number)) {
        *amount = body_span(store, start, cursor->at);
        return true;
    }
    decimal value;
    if (!to_decimal(&number, &value)) {
        return false;
    }
    if (value.count > 0 && value.point > INTEGER_DIGITS_MAX) {
        return false;
    }
    round_to_scale(&value);
    uint32_t size_before = store->stored_size;
    if (value.point > INTEGER_DIGITS_MAX || !store_decimal(store, &value)) {
        return false;
    }
    *amount = stored_since(store, size_before);
    return true;
}
