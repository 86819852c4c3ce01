// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

/** What lies at the start of a page, so that whoever reads it knows how it came there. */
final class PageMarks {

    /** Nothing was read, for the address leads nowhere. */
    static final int NOWHERE = 0;
    /** What the address led to at first. */
    static final int OLD = 1;
    /** What it leads to later. */
    static final int NEW = 2;
    /** And after that. */
    static final int NEWER = 3;
    static final int NEWEST = 4;
    /** The page that has the address for its guest-physical one: who sees it has passed the IOMMU by. */
    static final int BYPASSED = 8;
    /** The page had been taken away before it was marked so: nobody may see it. */
    static final int POISON = 9;

    private PageMarks() {
    }
}
