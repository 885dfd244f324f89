/* A very fast stand-in for a provider, so that a benchmark measures the gateway before it and not this.
 *
 *     cc -O2 -o upstream upstream.c && ./upstream PORT
 *
 * One thread, epoll, keep-alive, Content-Length or chunked requests. The answer follows from the request's body:
 * no "stream":true       a chat completion of about 1 KB
 * "stream":true          50 server-sent events at once, one HTTP chunk each
 * ... and "model":"paced" the same 50 events, one every 2 ms
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

enum { EVENTS = 50, PACE_US = 2000, MAX_FDS = 65536, MAX_TIMERS = 1 << 16 };

typedef struct {
    int fd, left;        /* events still to be sent of a paced stream */
    uint64_t due_us;     /* when the next one is */
    char *data;
    size_t used, size;
} connection;

static connection *by_fd[MAX_FDS];
static connection *timers[MAX_TIMERS]; /* a ring: every pace is the same, so arrivals are in order */
static unsigned first_timer, last_timer;
static char completion[4096], stream_head[512], event[512], last_event[1024];
static size_t completion_size, stream_head_size, event_size, last_event_size;

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static size_t chunked(char *into, size_t size, const char *payload) {
    return snprintf(into, size, "%zx\r\n%s\r\n", strlen(payload), payload);
}

static void make_answers(void) {
    char text[700] = "", body[2048];
    while (strlen(text) < 560) strcat(text, "The quick brown fox jumps over the lazy dog. ");
    int size = snprintf(body, sizeof body,
        "{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"gpt-4o-mini\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\",\"refusal\":null},\"logprobs\":null,"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":190,\"completion_tokens\":120,\"total_tokens\":310,"
        "\"prompt_tokens_details\":{\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}},"
        "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\"}", text);
    completion_size = snprintf(completion, sizeof completion,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nx-request-id: req_0123456789abcdef\r\n"
        "openai-processing-ms: 12\r\n\r\n%s", size, body);
    stream_head_size = snprintf(stream_head, sizeof stream_head,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n"
        "cache-control: no-cache\r\nx-request-id: req_0123456789abcdef\r\n\r\n");
    event_size = chunked(event, sizeof event,
        "data: {\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
        "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n");
    last_event_size = chunked(last_event, sizeof last_event,
        "data: {\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
        "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    last_event_size += sprintf(last_event + last_event_size, "0\r\n\r\n");
}

static int put(connection *c, const char *bytes, size_t size) {
    while (size) {
        ssize_t wrote = write(c->fd, bytes, size);
        if (wrote > 0) bytes += wrote, size -= wrote;
        else if (errno == EAGAIN) usleep(50);
        else return -1;
    }
    return 0;
}

static void schedule(connection *c) {
    c->due_us = now_us() + PACE_US;
    timers[last_timer++ % MAX_TIMERS] = c;
}

static void drop(connection *c) {
    close(c->fd);
    by_fd[c->fd] = NULL;
    if (c->left) { c->left = -1; return; } /* a timer still points here and frees it */
    free(c->data);
    free(c);
}

static const char *header(const char *head, const char *name) {
    const char *found = strcasestr(head, name);
    return found ? found + strlen(name) : NULL;
}

/* Return the bytes of the request's body on the wire, or -1 while it is not all here. */
static ssize_t body_size(connection *c, size_t head_size) {
    char *body = c->data + head_size;
    size_t here = c->used - head_size;
    char saved = body[-2];
    body[-2] = 0;
    const char *length = header(c->data, "\ncontent-length:"), *coding = header(c->data, "\ntransfer-encoding:");
    ssize_t size = length ? atoll(length) : 0;
    body[-2] = saved;
    if (!coding) return (size_t)size <= here ? size : -1;
    for (size_t at = 0;;) {
        char *line_end = memmem(body + at, here - at, "\r\n", 2);
        if (!line_end) return -1;
        size_t chunk = strtoul(body + at, NULL, 16);
        at = line_end + 2 - body + chunk + 2;
        if (at > here) return -1;
        if (!chunk) return at;
    }
}

static int answer(connection *c) {
    while (c->used && !c->left) {
        char *end = memmem(c->data, c->used, "\r\n\r\n", 4);
        if (!end) return 0;
        size_t head_size = end + 4 - c->data;
        ssize_t size = body_size(c, head_size);
        if (size < 0) return 0;
        char *body = c->data + head_size, *flag = memmem(body, size, "\"stream\"", 8);
        int streams = flag && (!strncmp(flag + 8, ":true", 5) || !strncmp(flag + 8, ": true", 6));
        int paced = streams && memmem(body, size, "\"paced\"", 7);
        memmove(c->data, body + size, c->used - head_size - size);
        c->used -= head_size + size;
        if (!streams) {
            if (put(c, completion, completion_size)) return -1;
        } else {
            if (put(c, stream_head, stream_head_size)) return -1;
            if (paced) { c->left = EVENTS; schedule(c); continue; }
            for (int i = 1; i < EVENTS; i++) if (put(c, event, event_size)) return -1;
            if (put(c, last_event, last_event_size)) return -1;
        }
    }
    return 0;
}

static void tick(connection *c) {
    if (c->left < 0) { free(c->data); free(c); return; }
    int failed = --c->left ? put(c, event, event_size) : put(c, last_event, last_event_size);
    if (failed) { c->left = 0; drop(c); }
    else if (c->left) schedule(c);
    else if (answer(c)) drop(c);
}

static void receive(connection *c) {
    if (c->size - c->used < 65536) c->data = realloc(c->data, c->size *= 2);
    ssize_t got = read(c->fd, c->data + c->used, c->size - c->used - 1);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) { drop(c); return; }
    c->used += got;
    if (!c->left && answer(c)) drop(c);
}

int main(int argc, char **argv) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, poll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 9000),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGPIPE, SIG_IGN);
    make_answers();
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) { perror("listen"); return 1; }
    struct epoll_event ready[512], wish = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wish);
    for (;;) {
        struct timespec wait = {1, 0};
        if (first_timer != last_timer) {
            int64_t us = (int64_t)timers[first_timer % MAX_TIMERS]->due_us - (int64_t)now_us();
            wait = (struct timespec){0, us > 0 ? us * 1000 : 0};
        }
        int count = epoll_pwait2(poll, ready, 512, &wait, NULL);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd != listener) {
                if (by_fd[ready[i].data.fd]) receive(by_fd[ready[i].data.fd]);
                continue;
            }
            for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                connection *c = calloc(1, sizeof *c);
                *c = (connection){.fd = fd, .size = 131072, .data = malloc(131072)};
                by_fd[fd] = c;
                wish = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wish);
            }
        }
        for (uint64_t t = now_us(); first_timer != last_timer && timers[first_timer % MAX_TIMERS]->due_us <= t;)
            tick(timers[first_timer++ % MAX_TIMERS]);
    }
}
