# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""Who takes part, since when, and with whose consent. Taking part is voluntary and ends when the resident says so.

An account is a key made for this scheme alone, and a commitment to a consent that is kept elsewhere: nothing on the
chain names a person. Whoever has no telephone takes part through a desk; whoever is under age, with a guardian.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Map, Record, Value, action, emit, require, view

MAX_CODE = 40
SIGNS = "abcdefghijklmnopqrstuvwxyz-"  # no digits: they could be somebody's number
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Catalogue(Interface):
    """Who has which task, and what points are for."""

    @view
    def has_role(self, role: str, account: str) -> bool:
        """Tell whether an account has a task."""

    @view
    def is_use(self, use: str) -> bool:
        """Tell whether points are for this."""


class Account(Record):
    """An account: `channel` is own or assisted, `guardian` is empty for an adult, `closed_at` 0 while it is open."""

    consent: str
    channel: str
    since: int
    offers: bool
    guardian: str = ""
    guardian_consent: str = ""
    confirmed_by: str = ""
    closed_at: int = 0


class Offer(Record):
    """A service that is offered to a resident; `state` is Offered, Accepted, Declined or Delivered."""

    account: str
    service: str
    provider: str
    until: int
    state: str = "Offered"


class Accounts(Contract):
    """The accounts of a scheme of contribution points: consent, guardians, the assisted desk, offers of services.

    zh: 贡献积分账户：同意、监护人、协助窗口与服务提供。
    """

    catalogue = Value(str)
    accounts = Map(str, Account)
    consents = Map(str, str)  # commitment -> account: none is used twice
    offers = Map(int, Offer)
    offer_count = Value(int)
    asked = Map(int, dict)  # who asked for a balance, and for what
    asked_count = Value(int)

    def setup(self, catalogue: str) -> None:
        self.catalogue = catalogue

    def require_role(self, role: str) -> None:
        has_role = Catalogue(self.catalogue).has_role(role, self.caller)
        require(has_role, f"only the role {role} may do this: the owner of the scheme grants it")

    def found(self, account: str) -> Account:
        require(account in self.accounts, "this account does not take part: it is opened first")
        return self.accounts[account]

    # --- the safeguards

    def guard_consent(self, account: str, consent: str) -> None:
        """Nobody takes part without a consent of their own, which is kept outside under this commitment."""
        is_digest = len(consent) == 64 and consent.strip("0123456789abcdef") == ""
        require(is_digest, "nobody takes part without consent: name it by its commitment, 64 small hex digits")
        require(consent not in self.consents, "this consent is somebody's already: each resident gives their own")

    def guard_guardian(self, known: Account, is_adult: bool) -> None:
        """Whoever is under age takes part only with a guardian who has agreed."""
        has_agreed = known.guardian != "" and known.guardian_consent != ""
        require(is_adult or has_agreed, "a resident under age takes part only when a guardian has agreed")

    def guard_pseudonym(self, account: str) -> None:
        """An account is a key and nothing else: a name or a number would stand on the chain for ever."""
        is_key = len(account) == 56 and account.startswith("did:key:z6Mk") and account[9:].strip(BASE58) == ""
        require(is_key, "an account is named by a did:key made for this scheme, never by a name or a number")

    def guard_open(self, known: Account) -> None:
        """Once a resident has withdrawn, nothing more is recorded, offered or asked."""
        require(known.closed_at == 0, "this resident has withdrawn: nothing more is recorded about them")

    def guard_offers(self, known: Account) -> None:
        """Only who has agreed to it is offered services."""
        require(known.offers, "this resident has not agreed to be offered services")

    def guard_use(self, use: str) -> None:
        """Points are asked for only within the purpose of the scheme, and never for a basic right."""
        require(Catalogue(self.catalogue).is_use(use), f"points are not for {use}: no use outside the scheme's purpose")

    # --- the resident

    @action
    def open(self, consent: str, offers: bool = False, guardian: str = "") -> None:
        """Take part, with the commitment to a consent; the office confirms it.

        zh: 以同意书的承诺值申请参加；由登记处确认。
        """
        require(self.caller == self.signer, "only the resident's own signature opens an account")
        self.enter(self.caller, consent, "own", offers, guardian)

    @action
    def open_assisted(self, account: str, consent: str, offers: bool = False, guardian: str = "") -> None:
        """Open an account at the desk for somebody who has no device, with their written consent.

        zh: 由窗口凭书面同意为没有设备的居民开户。
        """
        self.require_role("assistant")
        self.enter(account, consent, "assisted", offers, guardian)

    def enter(self, account: str, consent: str, channel: str, offers: bool, guardian: str) -> None:
        require(account not in self.accounts, "this account has been opened: who comes back takes a new key")
        require(guardian != account, "nobody is their own guardian")
        self.guard_pseudonym(account)
        self.guard_consent(account, consent)
        self.consents[consent] = account
        known = Account(consent=consent, channel=channel, since=self.now, offers=offers, guardian=guardian)
        self.accounts[account] = known
        emit("AccountOpened", account=account, channel=channel, state="Opened")

    @action
    def agree(self, account: str, consent: str) -> None:
        """Agree, as the guardian whom an account names.

        zh: 由账户所列监护人表示同意。
        """
        known = self.found(account)
        require(known.guardian == self.caller, "only the guardian whom this account names can agree")
        self.guard_open(known)
        self.guard_consent(account, consent)
        self.consents[consent] = account
        known.guardian_consent = consent
        self.accounts[account] = known
        emit("GuardianAgreed", account=account)

    @action
    def confirm(self, account: str, is_adult: bool) -> None:
        """Confirm, after looking at a card, that a resident may take part.

        zh: 查验证件后，确认居民可以参加。
        """
        self.require_role("registrar")
        known = self.found(account)
        require(known.confirmed_by == "", "this account is confirmed")
        is_party = self.acts_for(account, self.caller)
        require(not is_party, "who acts for an account does not confirm it: another person has to")
        self.guard_open(known)
        self.guard_guardian(known, is_adult)
        known.confirmed_by = self.caller
        self.accounts[account] = known
        emit("AccountConfirmed", account=account, state="Confirmed")

    @action
    def accept_offers(self, account: str, offers: bool) -> None:
        """Agree, or agree no longer, to be offered services.

        zh: 同意或不再同意接收服务提供。
        """
        known = self.own(account)
        known.offers = offers
        self.accounts[account] = known
        emit("OffersChosen", account=account, offers=offers)

    @action
    def withdraw(self, account: str) -> None:
        """Withdraw from the scheme: the account is closed, and what is kept outside is destroyed. No reason is asked.

        zh: 退出计划：账户关闭，链外资料销毁；无需说明理由。
        """
        known = self.own(account)
        known.closed_at = self.now
        known.offers = False
        self.accounts[account] = known
        emit("AccountClosed", account=account, state="Withdrawn")

    def own(self, account: str) -> Account:
        """Return an open account that the caller may act for."""
        known = self.found(account)
        require(self.acts_for(account, self.caller), "only the resident, a guardian or the assisted desk does this")
        self.guard_open(known)
        return known

    # --- services that come to the door

    @action
    def offer(self, account: str, service: str, until: int) -> int:
        """Offer a service to a resident who has agreed to that; returns the number of the offer.

        zh: 向已同意的居民主动提供服务；返回编号。
        """
        self.require_role("provider")
        is_word = 1 <= len(service) <= MAX_CODE and service.strip(SIGNS) == ""
        require(is_word, f"a service is named by 1 to {MAX_CODE} of a-z and dash")
        require(until > self.now, "an offer ends in the future")
        known = self.found(account)
        self.guard_open(known)
        self.guard_offers(known)
        number = self.offer_count + 1
        self.offer_count = number
        self.offers[number] = Offer(account=account, service=service, provider=self.caller, until=until)
        emit("ServiceOffered", number=number, account=account, service=service, state="Offered")
        return number

    @action
    def answer(self, number: int, is_accepted: bool) -> None:
        """Accept or decline an offered service; declining has no consequence.

        zh: 接受或谢绝所提供的服务；谢绝没有任何后果。
        """
        offer = self.known_offer(number, "Offered")
        self.own(offer.account)
        require(self.now <= offer.until, "this offer has ended: ask for a new one")
        offer.state = "Accepted" if is_accepted else "Declined"
        self.offers[number] = offer
        emit("ServiceAnswered", number=number, state=offer.state)

    @action
    def deliver(self, number: int) -> None:
        """Say that an accepted service was delivered.

        zh: 确认已接受的服务已送达。
        """
        offer = self.known_offer(number, "Accepted")
        require(offer.provider == self.caller, "who offered a service delivers it")
        offer.state = "Delivered"
        self.offers[number] = offer
        emit("ServiceDelivered", number=number, state=offer.state)

    def known_offer(self, number: int, state: str) -> Offer:
        require(number in self.offers, f"there is no offer {number}")
        offer = self.offers[number]
        require(offer.state == state, f"offer {number} is {offer.state}, not {state}")
        return offer

    # --- who asks for points

    @action
    def ask(self, account: str, use: str) -> int:
        """Put on record that an office asks for a resident's points, and for what; returns the number of the record.

        zh: 记录某机构为何用途查询居民积分；返回记录编号。
        """
        self.require_role("provider")
        self.guard_open(self.found(account))
        self.guard_use(use)
        number = self.asked_count + 1
        self.asked_count = number
        self.asked[number] = {"account": account, "by": self.caller, "use": use, "at": self.now}
        emit("PointsAsked", number=number, account=account, use=use)
        return number

    # --- what can be read

    @view
    def account(self, account: str) -> Account:
        """Show an account: its channel, its consents as commitments, since when, and whether it is closed.

        zh: 查询账户：渠道、同意书承诺值、起始时间、是否已关闭。
        """
        return self.found(account)

    @view
    def all_accounts(self, start: int = 0, limit: int = 50) -> list[dict]:
        """List one page of all accounts, by their pseudonyms, for an audit.

        zh: 分页列出全部账户（假名），供审计。
        """
        page = self.accounts.items(start, limit)
        return [{"account": account, "known": known} for account, known in page]

    @view
    def acts_for(self, account: str, who: str) -> bool:
        """Tell whether somebody may act for an account: the resident, the guardian, or the desk for an assisted one.

        zh: 查询某人可否代表账户：本人、监护人，或协助窗口。
        """
        known = self.found(account)
        if who == account or (who == known.guardian and known.guardian_consent != ""):
            return True
        return known.channel == "assisted" and Catalogue(self.catalogue).has_role("assistant", who)

    @view
    def require_taking_part(self, account: str) -> None:
        """Refuse an account about which nothing may be recorded: not confirmed, or withdrawn.

        zh: 账户未确认或已退出时拒绝。
        """
        known = self.found(account)
        self.guard_open(known)
        require(known.confirmed_by != "", "this account is not confirmed yet: the registrar looks at a card first")

    @view
    def offer_of(self, number: int) -> Offer:
        """Show an offer of a service.

        zh: 查询一项服务提供。
        """
        require(number in self.offers, f"there is no offer {number}")
        return self.offers[number]

    @view
    def offers_to(self, account: str, start: int = 0, limit: int = 100) -> list[dict]:
        """List what was offered to a resident, with the number of each offer, from one page of all offers.

        zh: 分页列出向某居民提供的服务及编号。
        """
        page = self.offers.items(start, limit)
        return [
            {"number": number, "service": offer.service, "until": offer.until, "state": offer.state}
            for number, offer in page
            if offer.account == account
        ]

    @view
    def who_asked(self, account: str, start: int = 0, limit: int = 100) -> list[dict]:
        """List who asked for a resident's points, when and for what, from one page of all records.

        zh: 分页列出谁在何时为何查询过某居民的积分。
        """
        return [entry for entry in self.asked.values(start, limit) if entry["account"] == account]
