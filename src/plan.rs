//! Where a debugger finds what in a queue.
//!
//! `debug/queues-gdb.py` prints queues of a process or a core file without calling into it, and
//! without debug information of the library. So each handle points to a table like this one, which
//! the compiler has filled: an offset cannot be forgotten when a type changes. What the numbers mean
//! is the script's own knowledge; [`VERSION`] says which script knows it.

/// Raised whenever a script that was written before would show something wrong.
const VERSION: u32 = 1;

/// "QUEUPLAN", as the script finds it.
const MAGIC: u64 = 0x5155_4555_504c_414e;
const MOST: usize = 16;

/// Names and numbers: offsets in a queue, and sizes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    magic: u64,
    version: u32,
    count: u32,
    fields: [Field; MOST],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Field {
    /// Filled up with zeros.
    name: [u8; 12],
    value: u32,
}

impl Plan {
    pub(crate) const NOTHING: Self = Self {
        magic: MAGIC,
        version: VERSION,
        count: 0,
        fields: [Field { name: [0; 12], value: 0 }; MOST],
    };

    /// One more line of the table. Does not compile if there are too many, or the name is too long.
    pub(crate) const fn with(mut self, name: &str, value: usize) -> Self {
        assert!(value <= u32::MAX as usize);
        let field = &mut self.fields[self.count as usize];
        field.value = value as u32;
        let mut i = 0;
        while i < name.len() {
            field.name[i] = name.as_bytes()[i];
            i += 1;
        }
        self.count += 1;
        self
    }

    /// All lines of another table, for what lies at `offset`. It has offsets only.
    pub(crate) const fn within(mut self, offset: usize, inner: Self) -> Self {
        let mut i = 0;
        while i < inner.count as usize {
            let field = inner.fields[i];
            self.fields[self.count as usize] =
                Field { value: field.value + offset as u32, ..field };
            self.count += 1;
            i += 1;
        }
        self
    }
}

/// What a debugger is told of one queue. The addresses lie in it.
pub(crate) struct Description {
    pub(crate) plan: &'static Plan,
    /// What the table's offsets begin from.
    pub(crate) start: *const u8,
    /// The words that count who waits for an item, and for room.
    pub(crate) waiters: Option<[*const u8; 2]>,
}

/// A queue that a debugger can show.
pub(crate) trait Described {
    /// Called once, when the handle is made.
    fn describe(&self) -> Description;
}

/// A queue that its type's table describes.
pub(crate) fn described<Q>(queue: &Q, plan: &'static Plan) -> Description {
    Description { plan, start: core::ptr::from_ref(queue).cast(), waiters: None }
}
