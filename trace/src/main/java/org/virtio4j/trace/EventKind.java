// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

/** What an event of a trace is; each kind is one letter at the start of its line. */
public enum EventKind {
    /** {@code Z}: a SYSTEM reset of one IOMMU, after which its bypass byte has its first value again. */
    RESET_SYSTEM('Z', false),
    /** {@code S}: the driver wrote the device status register; 0 is a DEVICE reset. */
    STATUS('S', false),
    /** {@code P}: a PROBE request and its status. */
    PROBE('P', true),
    /** {@code A}: an ATTACH request and its status. */
    ATTACH('A', true),
    /** {@code D}: a DETACH request and its status. */
    DETACH('D', true),
    /** {@code M}: a MAP request and its status. */
    MAP('M', true),
    /** {@code U}: an UNMAP request, its status and how many mappings it removed. */
    UNMAP('U', true),
    /** {@code T}: a translation for an access by a device behind the IOMMU. */
    TRANSLATE('T', false),
    /** {@code C}: the driver wrote the bypass byte of the configuration space. */
    BYPASS('C', false),
    /** {@code F}: the IOMMU reported a fault on its event queue. */
    FAULT('F', false),
    /** {@code K}: the driver notified the request queue. Version 2 only. */
    KICK('K', false),
    /** {@code R}: a request of any form, byte for byte, with what was written back. Version 2 only. */
    RAW('R', true);

    private final char letter;
    private final boolean request;

    EventKind(char letter, boolean request) {
        this.letter = letter;
        this.request = request;
    }

    /**
     * The first character of the event's line.
     *
     * @return an upper-case letter
     */
    public char letter() {
        return letter;
    }

    /**
     * Whether the event is a buffer on the request queue, so that a replayer puts it on the ring.
     *
     * @return true for PROBE, ATTACH, DETACH, MAP, UNMAP and RAW
     */
    public boolean isRequest() {
        return request;
    }
}
