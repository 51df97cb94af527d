#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int gates) {
    assert(gates == 4 && "gates of GVA"); /* «c-check» */
}

int main(int argc, char **argv) {
    (void)argv;
    for (int n = 0; n < 4; n++) fprintf(stderr, "lane: scan parcel %d\n", n);
    check(argc);
    return 0;
}
