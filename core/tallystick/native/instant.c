#include "instant.h"

#define NS_PER_S 1000000000ll
#define NS_PER_MS 1000000ll
/* 2262-01-01T00:00:00Z */
#define LATEST_S 9214646400ll
#define FRACTION_DIGITS 9
#define YEAR_MIN 1970
#define YEAR_MAX 2261
/* Texts as long as this have more digits than any clock. */
#define TEXT_SIZE_MAX 64

static bool read_digits(json_cursor *cursor, int count, int *number) {
    if (cursor->end - cursor->at < count) {
        return false;
    }
    int value = 0;
    for (int place = 0; place < count; place++) {
        uint8_t byte = cursor->at[place];
        if (byte < '0' || byte > '9') {
            return false;
        }
        value = value * 10 + (byte - '0');
    }
    cursor->at += count;
    *number = value;
    return true;
}

static bool is_leap_year(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day) {
    static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int past = year - 1;
    int64_t days = 365ll * past + past / 4 - past / 100 + past / 400;
    return days - 719162 + days_before[month - 1] + (month > 2 && is_leap_year(year)) + day - 1;
}

static bool read_date(json_cursor *cursor, int64_t *days) {
    static const int days_in[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!read_digits(cursor, 4, &year) || !take(cursor, '-') || !read_digits(cursor, 2, &month) || !take(cursor, '-') ||
        !read_digits(cursor, 2, &day)) {
        return false;
    }
    if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1) {
        return false;
    }
    if (day > days_in[month - 1] + (month == 2 && is_leap_year(year))) {
        return false;
    }
    *days = days_of(year, month, day);
    return true;
}

/* Read hours, minutes, seconds. A leap second is a doubt: it is some other second. */
static bool read_clock(json_cursor *cursor, int64_t *seconds) {
    int hour, minute, second;
    if (!read_digits(cursor, 2, &hour) || !take(cursor, ':') || !read_digits(cursor, 2, &minute) || !take(cursor, ':') ||
        !read_digits(cursor, 2, &second)) {
        return false;
    }
    *seconds = hour * 3600ll + minute * 60ll + second;
    return hour <= 23 && minute <= 59 && second <= 59;
}

/* Read the digits behind the point: nine count, further ones are cut off. */
static bool read_fraction(json_cursor *cursor, int64_t *nanoseconds) {
    int64_t value = 0;
    int count = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        if (count < FRACTION_DIGITS) {
            value = value * 10 + (*cursor->at - '0');
            count++;
        }
        cursor->at++;
    }
    if (count == 0) {
        return false;
    }
    while (count++ < FRACTION_DIGITS) {
        value *= 10;
    }
    *nanoseconds = value;
    return true;
}

static bool read_offset(json_cursor *cursor, int64_t *seconds) {
    *seconds = 0;
    if (take(cursor, 'Z') || take(cursor, 'z')) {
        return true;
    }
    bool is_behind = take(cursor, '-');
    int hour, minute;
    if ((!is_behind && !take(cursor, '+')) || !read_digits(cursor, 2, &hour) || !take(cursor, ':') ||
        !read_digits(cursor, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *seconds = (hour * 3600ll + minute * 60ll) * (is_behind ? -1 : 1);
    return true;
}

static bool parse_rfc3339(const uint8_t *text, size_t size, int64_t *instant) {
    json_cursor cursor = {.at = text, .end = text + size};
    int64_t days, clock_s, offset_s, nanoseconds = 0;
    if (!read_date(&cursor, &days) || !(take(&cursor, 'T') || take(&cursor, 't') || take(&cursor, ' ')) ||
        !read_clock(&cursor, &clock_s)) {
        return false;
    }
    if (take(&cursor, '.') && !read_fraction(&cursor, &nanoseconds)) {
        return false;
    }
    if (!read_offset(&cursor, &offset_s) || cursor.at != cursor.end) {
        return false;
    }
    int64_t seconds = days * 86400 + clock_s - offset_s;
    if (seconds < 0 || seconds >= LATEST_S) {
        return false;
    }
    *instant = seconds * NS_PER_S + nanoseconds;
    return true;
}

static bool read_milliseconds(json_cursor *cursor, int64_t *instant) {
    const uint8_t *start = cursor->at;
    int64_t value = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        value = value * 10 + (*cursor->at++ - '0');
        if (value >= LATEST_S * 1000) {
            return false;
        }
    }
    /* A point or an exponent behind it is no end of a number, which the next reader sees. */
    if (cursor->at == start || (*start == '0' && cursor->at - start > 1)) {
        return false;
    }
    *instant = value * NS_PER_MS;
    return true;
}

bool read_instant(json_cursor *cursor, int64_t *instant) {
    if (cursor->at < cursor->end && *cursor->at != '"') {
        return read_milliseconds(cursor, instant);
    }
    const uint8_t *text;
    size_t size;
    return read_plain_ascii(cursor, &text, &size) && size <= TEXT_SIZE_MAX && parse_rfc3339(text, size, instant);
}
