// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

/** The mark at the start of a page, which tells a reader what its address led to. */
final class PageMarks {

    /** Nothing was read, because the address leads nowhere. */
    static final int NOWHERE = 0;
    /** What the address led to at first. */
    static final int OLD = 1;
    /** What it leads to later. */
    static final int NEW = 2;
    /** And after that. */
    static final int NEWER = 3;
    static final int NEWEST = 4;
    /** The page whose guest-physical address is this address: a reader that sees it was not translated. */
    static final int BYPASSED = 8;
    /** The page had been taken away before it got this mark: no reader may see it. */
    static final int POISON = 9;

    private PageMarks() {
    }
}
