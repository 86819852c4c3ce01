// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.Arrays;

/** A request that came back: its token, what the used ring says, and the bytes of its writable part. */
@SuppressWarnings("ArrayRecordComponent") // replies are not compared
record DiskReply(long token, long used, byte[] writable) {

    /** What fills a writable part before the device gets it. */
    static final int UNTOUCHED = 0xa5;

    int status() {
        return writable[writable.length - 1] & 0xff;
    }

    byte[] data() {
        return Arrays.copyOf(writable, writable.length - 1);
    }

    boolean untouched() {
        return untouched(0, writable.length);
    }

    /** Whether the data was left alone, whatever the status. */
    boolean dataUntouched() {
        return untouched(0, writable.length - 1);
    }

    private boolean untouched(int from, int to) {
        for (int i = from; i < to; i++) {
            if (writable[i] != (byte) UNTOUCHED) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return "token " + token + ", used " + used + ", status " + (writable.length == 0 ? "none" : status());
    }
}
