/* Drive an HTTP/1.1 server and tell how long each answer took.
 *
 *     cc -O2 -o load load.c && ./load PORT PATH BODY_FILE CONNECTIONS SECONDS RATE [HEADER ...]
 *
 * RATE 0 is a closed loop: every connection asks again as soon as it is answered. A RATE over 0 is an open loop: requests
 * are due at even times whatever the server does, and latency counts from when one was due. One thread, epoll. Prints JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_SIZE = 32768, READ_SIZE = 1 << 18, MAX_ANSWERS = 1 << 22, DRAIN_S = 10 };
typedef enum { SIZE, EXTENSION, DATA, DATA_END, TRAILER } chunk_state;

typedef struct {
    int fd, busy, in_body, is_chunked, closes, status, line_used;
    size_t sent, head_used;
    long long left;      /* of the body, or of the chunk; -1 when only the connection's end tells */
    chunk_state state;
    uint64_t due_ns, first_ns;
    char head[HEAD_SIZE];
} connection;

static connection *all;
static int port, poll_fd;
static char *request;
static size_t request_size, answers;
static float *total_ms, *first_ms;
static unsigned long good, bad, broken;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int dial(connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (void *)&address, sizeof address)) { close(c->fd); c->fd = -1; broken++; return -1; }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event wish = {.events = EPOLLIN, .data.ptr = c};
    return epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &wish);
}

static void push(connection *c) {
    ssize_t wrote = write(c->fd, request + c->sent, request_size - c->sent);
    if (wrote > 0) c->sent += wrote;
    struct epoll_event wish = {.events = EPOLLIN | (c->sent < request_size ? EPOLLOUT : 0), .data.ptr = c};
    if (c->sent < request_size || (size_t)wrote != request_size) epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &wish);
}

static int ask(connection *c, uint64_t due_ns) {
    if (c->fd < 0 && dial(c)) return -1;
    c->busy = 1;
    c->sent = c->head_used = c->in_body = c->first_ns = 0;
    c->due_ns = due_ns;
    push(c);
    return 0;
}

static void hang_up(connection *c) {
    close(c->fd);
    c->fd = -1;
    c->busy = 0;
}

static void finish(connection *c, uint64_t now) {
    if (answers < MAX_ANSWERS) {
        total_ms[answers] = (now - c->due_ns) / 1e6;
        first_ms[answers++] = (c->first_ns - c->due_ns) / 1e6;
    }
    if (c->status == 200) good++; else bad++;
    c->busy = 0;
    if (c->closes) hang_up(c);
}

/* Take body bytes; return 1 at the answer's end. */
static int take(connection *c, const char *p, size_t n) {
    if (!c->is_chunked) {
        if (c->left < 0) return 0;
        c->left -= n;
        return c->left <= 0;
    }
    for (; n; p++, n--) {
        switch (c->state) {
        case SIZE:
            if (*p == '\n') c->state = c->left ? DATA : TRAILER, c->line_used = 0;
            else if (*p == ';') c->state = EXTENSION;
            else if (*p != '\r') c->left = c->left * 16 + (*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
            break;
        case EXTENSION:
            if (*p == '\n') c->state = c->left ? DATA : TRAILER, c->line_used = 0;
            break;
        case DATA: {
            size_t skip = n < (size_t)c->left ? n : (size_t)c->left;
            p += skip - 1, n -= skip - 1;
            if (!(c->left -= skip)) c->state = DATA_END;
            break;
        }
        case DATA_END:
            if (*p == '\n') c->state = SIZE;
            break;
        case TRAILER:
            if (*p == '\n') { if (!c->line_used) return 1; c->line_used = 0; }
            else if (*p != '\r') c->line_used = 1;
        }
    }
    return 0;
}

/* Take bytes of an answer; return 1 at its end. */
static int read_answer(connection *c, const char *p, size_t n) {
    if (c->in_body) return take(c, p, n);
    size_t before = c->head_used, fits = n < HEAD_SIZE - 1 - before ? n : HEAD_SIZE - 1 - before;
    memcpy(c->head + before, p, fits);
    c->head_used += fits;
    c->head[c->head_used] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return 0;
    end[2] = 0;
    char *length = strcasestr(c->head, "\ncontent-length:"), *coding = strcasestr(c->head, "\ntransfer-encoding:");
    c->status = atoi(c->head + 9);
    c->is_chunked = coding != NULL;
    c->left = coding ? 0 : length ? atoll(length + 16) : -1;
    c->state = SIZE;
    c->closes = strcasestr(c->head, "\nconnection: close") != NULL;
    c->in_body = 1;
    size_t used = end + 4 - c->head - before;
    if (!c->is_chunked && c->left == 0) return 1;
    return n > used ? take(c, p + used, n - used) : 0;
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double quantile(float *sorted, double q) {
    return answers ? sorted[(size_t)(q * (answers - 1) + .5)] : -1;
}

static void make_request(char **argv, int argc) {
    FILE *file = fopen(argv[3], "rb");
    if (!file) { perror(argv[3]); exit(2); }
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file);
    rewind(file);
    request = malloc(size + 16384);
    int used = sprintf(request, "POST %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\naccept: */*\r\n"
                       "user-agent: OpenAI/Python 1.99\r\nauthorization: Bearer sk-test-0123456789abcdef\r\n"
                       "accept-encoding: gzip, deflate\r\ncontent-length: %zu\r\n", argv[2], port, size);
    for (int i = 7; i < argc; i++) used += sprintf(request + used, "%s\r\n", argv[i]);
    used += sprintf(request + used, "\r\n");
    request_size = used + fread(request + used, 1, size, file);
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc < 7) { fprintf(stderr, "load PORT PATH BODY_FILE CONNECTIONS SECONDS RATE [HEADER ...]\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    port = atoi(argv[1]);
    int count = atoi(argv[4]), in_flight = 0, idle_count = 0;
    double seconds = atof(argv[5]), rate = atof(argv[6]);
    make_request(argv, argc);
    poll_fd = epoll_create1(0);
    all = calloc(count, sizeof *all);
    total_ms = malloc(MAX_ANSWERS * sizeof *total_ms);
    first_ms = malloc(MAX_ANSWERS * sizeof *first_ms);
    connection **idle = malloc(count * sizeof *idle);
    for (int i = 0; i < count; i++) { all[i].fd = -1; idle[idle_count++] = &all[i]; }
    char *buffer = malloc(READ_SIZE);
    uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9), last = begin, due_count = 0, asked = 0;
    struct epoll_event ready[512];
    for (;;) {
        uint64_t now = now_ns();
        if (now >= end && (!in_flight || now > end + DRAIN_S * 1000000000ull)) break;
        if (now < end) {
            due_count = rate > 0 ? (uint64_t)((now - begin) * rate / 1e9) + 1 : asked + idle_count;
            while (asked < due_count && idle_count) {
                uint64_t due = rate > 0 ? begin + (uint64_t)(asked * 1e9 / rate) : now_ns();
                if (ask(idle[idle_count - 1], due)) break;
                idle_count--, in_flight++, asked++;
            }
        }
        struct timespec wait = {0, 50000000};
        if (rate > 0 && now < end && idle_count) {
            int64_t ns = (int64_t)(begin + (uint64_t)(asked * 1e9 / rate)) - (int64_t)now_ns();
            wait.tv_nsec = ns < 0 ? 0 : ns < 50000000 ? ns : 50000000;
        }
        int events = epoll_pwait2(poll_fd, ready, 512, &wait, NULL);
        for (int i = 0; i < events; i++) {
            connection *c = ready[i].data.ptr;
            if (c->fd < 0) continue;
            if (c->busy && c->sent < request_size && (ready[i].events & EPOLLOUT)) push(c);
            if (!(ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
            ssize_t got = read(c->fd, buffer, READ_SIZE);
            if (got < 0 && errno == EAGAIN) continue;
            uint64_t at = now_ns();
            int was_busy = c->busy;
            if (got <= 0 || !c->busy) {
                if (c->busy && got == 0 && c->in_body && !c->is_chunked && c->left < 0) { c->closes = 1; finish(c, at); }
                else { broken += c->busy; hang_up(c); }
            } else {
                if (!c->first_ns) c->first_ns = at;
                if (read_answer(c, buffer, got)) finish(c, at);
            }
            if (was_busy && !c->busy) { idle[idle_count++] = c; in_flight--; last = at; }
        }
    }
    double elapsed = (last - begin) / 1e9, sum = 0;
    for (size_t i = 0; i < answers; i++) sum += total_ms[i];
    qsort(total_ms, answers, sizeof *total_ms, ascending);
    qsort(first_ms, answers, sizeof *first_ms, ascending);
    printf("{\"answers\":%zu,\"good\":%lu,\"bad\":%lu,\"broken\":%lu,\"unfinished\":%d,\"seconds\":%.4f,\"rate\":%.1f,\"mean_ms\":%.4f,"
           "\"p50_ms\":%.4f,\"p90_ms\":%.4f,\"p99_ms\":%.4f,\"first_byte_p50_ms\":%.4f}\n",
           answers, good, bad, broken, in_flight, elapsed, answers / elapsed, answers ? sum / answers : -1,
           quantile(total_ms, .5), quantile(total_ms, .9), quantile(total_ms, .99), quantile(first_ms, .5));
    return 0;
}
