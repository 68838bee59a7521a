"""What people call the columns of their files, in English, Russian and Ukrainian: names parted by commas. Pure."""

from loyalty.office.importing import Kind

NAMES: dict[Kind, dict[str, str]] = {
    Kind.CUSTOMERS: {
        "name": (
            "name, full name, имя целиком, ім'я повністю, customer, client, customer name, client name, имя "
            "клиента, фио, ф и о, клиент, покупатель, имя и фамилия, фамилия и имя, фамилия имя отчество, піб, "
            "клієнт, покупець, імя клієнта, імя та прізвище, прізвище та імя, прізвище імя по батькові"
        ),
        "first_name": "first name, given name, имя, імя, имя (имя)",
        "last_name": "last name, surname, family name, фамилия, прізвище",
        "middle_name": "middle name, patronymic, отчество, по батькові",
        "phone": (
            "phone, phone number, mobile, mobile phone, cell, tel, telephone, contact phone, телефон, номер "
            "телефона, мобильный, мобильный телефон, моб телефон, сотовый, тел, номер телефону, мобільний, "
            "мобільний телефон"
        ),
        "email": (
            "email, e mail, mail, email address, e mail address, почта, эл почта, электронная почта, имейл, "
            "пошта, ел пошта, електронна пошта"
        ),
        "card": (
            "card, card number, card no, loyalty card, карта, номер карты, карта лояльности, дисконтная карта, "
            "бонусная карта, картка, номер картки, картка лояльності, дисконтна картка"
        ),
        "gender": "gender, sex, пол, стать",
        "birthday": (
            "birthday, birth date, date of birth, dob, born, дата рождения, день рождения, др, дата народження, "
            "день народження, дн"
        ),
        "language": "language, lang, язык, мова",
        "home_location": (
            "home location, location, branch, shop, store, точка, магазин, филиал, салон, домашняя точка, філія, "
            "домашня точка"
        ),
        "categories": (
            "category, categories, tag, tags, label, labels, категория, категории, теги, метки, категорія, "
            "категорії, мітки"
        ),
        "segments": (
            "segment, segments, group, groups, list, сегмент, сегменты, группа, группы, сегменти, група, групи"
        ),
        "importance": (
            "importance, importance class, class, важность, класс важности, класс, важливість, клас важливості, клас"
        ),
        "discount": (
            "discount, personal discount, скидка, персональная скидка, личная скидка, знижка, персональна знижка"
        ),
        "note": (
            "note, notes, comment, comments, remark, комментарий, комментарии, примечание, заметка, заметки, "
            "коментар, коментарі, примітка, нотатка, нотатки"
        ),
        "marketing": (
            "marketing, marketing consent, consent, consent to marketing, subscribed, согласие на рассылку, "
            "согласие, рассылка, согласие на рекламу, подписка, згода на розсилку, згода, розсилка, згода на "
            "рекламу, підписка"
        ),
        "registered_on": (
            "registered, registered at, registered on, registration date, created, created at, added, customer "
            "since, дата регистрации, зарегистрирован, создан, дата создания, добавлен, дата реєстрації, "
            "зареєстрований, створено, дата створення"
        ),
        "opening": (
            "balance, bonus, bonuses, points, opening balance, bonus balance, loyalty points, баланс, бонусы, "
            "баллы, остаток бонусов, начальный баланс, бонусный баланс, сумма бонусов, бонуси, бали, залишок "
            "бонусів, початковий баланс, бонусний баланс, сума бонусів"
        ),
        "opening_earned_on": (
            "earned, earned on, earned at, bonus date, credited on, дата начисления, начислено, начислены, дата "
            "нарахування, нараховано, нараховані"
        ),
        "opening_expires_on": (
            "expires, expires on, expires at, expiry, expiry date, valid until, burn date, дата сгорания, "
            "сгорают, срок действия, действуют до, годны до, сгорание бонусов, дата згоряння, згоряють, термін "
            "дії, діють до, дійсні до"
        ),
    },
    Kind.APPOINTMENTS: {
        "external_id": (
            "id, appointment number, external id, number, no, appointment id, booking id, номер, номер записи, "
            "ид, код, номер запису, ід"
        ),
        "phone": (
            "phone, phone number, mobile, mobile phone, tel, telephone, customer phone, телефон, номер телефона, "
            "телефон клиента, мобильный, тел, номер телефону, телефон клієнта, мобільний"
        ),
        "name": (
            "name, customer's name, customer, client, customer name, client name, guest, имя, имя клиента, "
            "клиент, фио, гость, імя, імя клієнта, клієнт, піб, гість"
        ),
        "location": "location, branch, shop, salon, точка, филиал, салон, магазин, адрес, філія, адреса",
        "starts_at": (
            "starts at, start, starts, begins, begin, datetime, date and time, appointment, начало, дата и время, "
            "дата время, время визита, початок, дата і час, дата та час, час візиту"
        ),
        "day": "date, day, visit date, дата, день, дата визита, дата візиту",
        "time": "time, start time, время, время начала, час, час початку",
        "ends_at": (
            "ends at, end, ends, end time, конец, окончание, время окончания, кінець, завершення, час завершення"
        ),
        "duration": (
            "duration, duration minutes, длительность минут, тривалість хвилин, minutes, length, длительность, "
            "продолжительность, минут, тривалість, хвилин"
        ),
        "team_member": (
            "team member, who serves, кто обслуживает, хто обслуговує, employee, staff, specialist, master, "
            "stylist, сотрудник, мастер, специалист, врач, співробітник, майстер, спеціаліст, лікар"
        ),
        "services": "service, services, услуга, услуги, послуга, послуги",
        "state": "state, status, visit status, статус, состояние, статус визита, стан, статус візиту",
        "source": "source, how it was booked, booked by, источник, источник записи, джерело, джерело запису",
        "tips": "tips, tip, gratuity, чаевые, чайові",
    },
}
"""By kind of file, what a column can be, in the order in which it is offered, and how it is called."""
