// SPDX-License-Identifier: GPL-2.0

//! The hosts of the model in the network of the model, which does what a fuzzer wants.

use arbitrary::{
    Result,
    Unstructured, //
};
use shim6_model::{
    host::Confused,
    net::{
        Faults,
        Incident,
        Net, //
    }, //
};
use shim6_proto::{
    establish::Constants,
    time::Interval, //
};

/// Whatever happens in whatever order, no host comes to what it must not be; and when messages get
/// through again, all agree, unless tags are so few that the RFC does not help.
pub fn hosts(data: &[u8]) {
    let mut u = Unstructured::new(data);
    if let Ok((mut net, few_tags)) = net(&mut u) {
        let _ = play(&mut u, &mut net);
        if !few_tags {
            net.settle().expect("agreement");
        }
    }
}

fn net(u: &mut Unstructured<'_>) -> Result<(Net, bool)> {
    let confused = match u.arbitrary()? {
        true => Confused::Restart,
        false => Confused::Discard,
    };
    let hosts = u.int_in_range(2..=3)?;
    let tag_bits = *u.choose(&[47, 47, 7, 5])?;
    let seed = u.arbitrary::<u16>()?.into();
    let mut net = Net::new(seed, hosts, confused, Constants::default());
    if tag_bits < 47 {
        net.use_few_tags(tag_bits);
    }
    net.set_faults(Faults {
        loss: u.int_in_range(0..=60)?,
        duplicates: u.int_in_range(0..=40)?,
        delay: u.int_in_range(1..=20_000)?,
    });
    Ok((net, tag_bits < 47))
}

/// A script of up to 40 incidents.
fn play(u: &mut Unstructured<'_>, net: &mut Net) -> Result<()> {
    for _ in 0..40 {
        if u.is_empty() {
            break;
        }
        let host = u.int_in_range(0..=2)?;
        let incident = incident(u)?;
        let pause = match u.int_in_range(0..=2)? {
            0 => u.int_in_range(0..=9)?,
            1 => u.int_in_range(0..=5_000)?,
            _ => u.int_in_range(0..=100_000)?,
        };
        net.incident(host, incident).expect("nothing wrong");
        net.run(Interval::from_millis(pause))
            .expect("nothing wrong");
    }
    Ok(())
}

fn incident(u: &mut Unstructured<'_>) -> Result<Incident> {
    Ok(match u.int_in_range(0..=15)? {
        0..=2 => Incident::Trigger {
            peer: u.int_in_range(0..=1)?,
            local_ulid: u.int_in_range(0..=2)?,
            peer_ulid: u.int_in_range(0..=2)?,
            fii: u.int_in_range(0..=2)?,
        },
        3 | 4 => Incident::Payload(u.int_in_range(0..=7)?),
        5 | 6 => Incident::Probe {
            context: u.int_in_range(0..=7)?,
            local: u.int_in_range(0..=2)?,
            peer: u.int_in_range(0..=2)?,
        },
        7 => Incident::Announce,
        8 => Incident::Lie,
        9 => Incident::Discard(u.int_in_range(0..=7)?),
        10 => Incident::Forget,
        11 => Incident::Restart,
        12 | 13 => Incident::Replay(u.int_in_range(0..=199)?),
        14 => Incident::Break {
            local: u.int_in_range(0..=2)?,
            peer: u.int_in_range(0..=1)?,
            remote: u.int_in_range(0..=2)?,
        },
        _ => Incident::Repair,
    })
}
