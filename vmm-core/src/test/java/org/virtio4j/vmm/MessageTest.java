// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.vmm.TableTranslator.Fault;

/** Message-signalled interrupts: writes that end in a doorbell. */
class MessageTest {

    private static final long DOORBELL = 0xfee0_0000L;
    private static final int REQUESTER = 0x48;

    private record Message(int requester, long address, int data) {
    }

    private final GuestMemory memory = new GuestMemory();
    private final List<Message> messages = new ArrayList<>();
    private final TableTranslator table = new TableTranslator();
    private final DmaHandle identity = DmaSpace.identity(memory).open("identity");
    private final DmaHandle translated = DmaSpace.of(memory, table, REQUESTER).open("translated");

    MessageTest() {
        memory.addAnonymous(0, GuestMemory.PAGE_SIZE);
        memory.addDoorbell(DOORBELL, 0x10_0000, (requester, address, data) -> {
            // The sink may do what no section allows.
            identity.enter();
            identity.leave();
            memory.readers().awaitAll(0);
            messages.add(new Message(requester, address, data));
        });
    }

    @AfterEach
    void close() {
        ParkedReader.leaveIfInside(identity);
        ParkedReader.leaveIfInside(translated);
        memory.close();
        assertEquals(0, memory.readers().stalls());
    }

    @Test
    void shouldReachTheSinkWithWhoAndWhereAndWhat() {
        table.map(0x1000, 0x1fff, DOORBELL + 0x2000, TableTranslator.WRITE);
        assertEquals(DmaResult.OK, translated.send(0x1010, 0xcafe_f00d));
        assertEquals(DmaResult.OK, identity.send(DOORBELL + 0xf_fffc, 7));
        assertEquals(List.of(new Message(REQUESTER, DOORBELL + 0x2010, 0xcafe_f00d),
                new Message(0, DOORBELL + 0xf_fffc, 7)), messages);
    }

    @Test
    void shouldBeABusErrorWhereThereIsNoDoorbell() {
        assertEquals(DmaResult.BUS_ERROR, identity.send(0, 1));
        assertEquals(DmaResult.BUS_ERROR, identity.send(0x5000, 1));
        assertEquals(DmaResult.BUS_ERROR, identity.send(DOORBELL - 1, 1));
        assertEquals(DmaResult.BUS_ERROR, identity.send(DOORBELL + 0x10_0000, 1));
        assertEquals(List.of(), messages);
    }

    @Test
    void shouldFaultAsAnyWriteWhenItIsNotMapped() {
        table.map(0x1000, 0x1fff, DOORBELL, TableTranslator.READ);
        assertEquals(DmaResult.FAULT, translated.send(0x1000, 1));
        assertEquals(DmaResult.FAULT, translated.send(0x2000, 1));
        assertEquals(List.of(new Fault(TranslateResult.NOT_PERMITTED, 0x1000, Access.WRITE),
                new Fault(TranslateResult.NO_MAPPING, 0x2000, Access.WRITE)), table.faults);
        assertEquals(List.of(), messages);
    }

    @Test
    void shouldRefuseToSendInsideASection() {
        identity.enter();
        assertThrows(IllegalStateException.class, () -> identity.send(DOORBELL, 1));
        identity.leave();
        assertEquals(List.of(), messages);
    }
}
